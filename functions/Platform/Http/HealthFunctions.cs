using Flex.Platform.Identity;
using Flex.Platform.Resilience;
using Flex.Platform.Tables;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.DependencyInjection;

namespace Flex.Platform.Http;

/// <param name="Status">Always <c>healthy</c>: what is not healthy is a 503 problem.</param>
public sealed record HealthView(string Status);

public sealed class HealthFunctions(HealthCheck check)
{
    [Function("Health_Get"), AllowAnyone("It tells only whether the service works; load balancers have no token.")]
    [Operation("Tell whether the service works", Response = typeof(HealthView))]
    public Task<IResult> Get([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/health")] HttpRequest request, CancellationToken cancellation) =>
        request.GetAsync(check.HandleAsync, cancellation);
}

/// <summary>One point read of a row that does not exist: shows that storage answers, and costs nearly nothing.</summary>
public sealed class HealthCheck(ITableStore tables, [FromKeyedServices(NetworkTime.Key)] TimeProvider network)
{
    public const string Table = "Health";

    /// <summary>Longer than storage ever takes when it works, shorter than a load balancer waits.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(2);

    public async Task<Reply<HealthView>> HandleAsync(RequestContext context, CancellationToken cancellation)
    {
        using var limit = new CancellationTokenSource(Limit, network);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellation);
        try
        {
            await tables.FindAsync(Table, "health", "health", either.Token);
            return new HealthView("healthy");
        }
        catch (Exception fault) when (fault is TransientFaultException || (fault is OperationCanceledException && limit.IsCancellationRequested))
        {
            return new Error(ErrorKind.Unavailable, ErrorCodes.Unavailable, "Storage does not answer.");
        }
    }
}
