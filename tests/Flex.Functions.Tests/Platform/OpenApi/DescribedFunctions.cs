using Flex.Functions.Tests.Platform.Http;
using Flex.Kernel;
using Flex.Platform.Http;
using Flex.Platform.Identity;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using NodaTime;

namespace Flex.Functions.Tests.Platform.OpenApi;

public sealed record DescribedRequest(
    string Name, Money Price, Instant StartsAt, LocalDate Day, ProbeKind Kind, IReadOnlyList<ProbeLine> Lines, Money? Deposit = null, PlanId? PlanId = null);

public sealed record DescribedQuery(bool? Open = null);

public static class DescribedFunctions
{
    [Function("Described_Post"), Allow(Role.Staff)]
    [Operation("Describe", Body = typeof(DescribedRequest), Response = typeof(PageOf<ProbeView>), Query = typeof(DescribedQuery),
        IdempotencyKey = Need.Required, IfMatch = Need.Optional, Errors = [ErrorCodes.BookingConflict])]
    public static IResult Post([HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/described/{id:length(1,40)}")] HttpRequest request, string id) =>
        Results.Ok();
}
