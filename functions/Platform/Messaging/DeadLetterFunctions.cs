using Flex.Platform.Http;
using Flex.Platform.Identity;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace Flex.Platform.Messaging;

public sealed class DeadLetterFunctions(DeadLetterHandler deadLetters)
{
    [Function("DeadLetters_List"), Allow(Role.Staff)]
    [Operation("List messages that were given up", Query = typeof(DeadLetterQuery), Response = typeof(DeadLetterList))]
    public Task<IResult> List(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/dead-letters")] HttpRequest request, CancellationToken cancellation) =>
        request.QueryAsync<DeadLetterQuery, DeadLetterList>(deadLetters.ListAsync, cancellation);

    [Function("DeadLetters_Replay"), Allow(Role.Staff)]
    [Operation("Deliver a message again that was given up", Status = StatusCodes.Status204NoContent)]
    public Task<IResult> Replay(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/dead-letters/{queue}/{id}/replay")] HttpRequest request,
        string queue,
        string id,
        CancellationToken cancellation) =>
        request.ActAsync((_, ct) => deadLetters.ReplayAsync(queue, id, ct), Respond.NoContent(), cancellation);
}

public sealed record DeadLetterQuery(string? Queue = null);

/// <param name="Results">At most <see cref="IDeadLetters.MaxListed"/> per queue, oldest first.</param>
public sealed record DeadLetterList(IReadOnlyList<DeadLetter> Results);

public sealed class DeadLetterHandler(IDeadLetters deadLetters)
{
    public async Task<Reply<DeadLetterList>> ListAsync(DeadLetterQuery query, RequestContext context, CancellationToken cancellation) =>
        query.Queue is null || Queues.All.Contains(query.Queue)
            ? new DeadLetterList(await deadLetters.ListAsync(query.Queue, cancellation))
            : Error.Invalid(ErrorCodes.UnknownReference, "/queue", $"The queues are {string.Join(", ", Queues.All)}.");

    public async Task<Reply<Unit>> ReplayAsync(string queue, string id, CancellationToken cancellation) =>
        Queues.All.Contains(queue) && await deadLetters.ReplayAsync(queue, id, cancellation) ? Unit.Value : Error.NotFound("This dead letter");
}
