using Flex.Platform.Http;
using Flex.Platform.Identity;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace Flex.Platform.Health;

/// <param name="Status">Always <c>healthy</c>: what is not healthy is a 503 problem.</param>
public sealed record HealthView(string Status)
{
    public static HealthView Healthy { get; } = new("healthy");
}

public sealed class HealthFunctions(Readiness readiness)
{
    [Function("Health_Get"), AllowAnyone("It tells only whether the process serves; load balancers have no token.")]
    [Operation("Tell whether the process serves; asks nothing else", Response = typeof(HealthView))]
    public static Task<IResult> Get(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/health")] HttpRequest request, CancellationToken cancellation) =>
        request.GetAsync((_, _) => Task.FromResult<Reply<HealthView>>(HealthView.Healthy), cancellation);

    [Function("Health_GetReady"), AllowAnyone("It names dependencies in a word each; availability tests have no token.")]
    [Operation("Tell whether storage, queue and payments answer", Response = typeof(HealthView))]
    public Task<IResult> GetReady(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/health/ready")] HttpRequest request, CancellationToken cancellation) =>
        request.GetAsync(readiness.HandleAsync, cancellation);
}
