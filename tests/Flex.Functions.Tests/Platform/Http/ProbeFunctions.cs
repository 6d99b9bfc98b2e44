using System.Text.Json.Serialization;
using Flex.Kernel;
using Flex.Platform.Http;
using Flex.Platform.Identity;
using FluentValidation;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using NodaTime;

namespace Flex.Functions.Tests.Platform.Http;

public enum ProbeKind
{
    Plain,
    VeryFancy,
}

public sealed record ProbeLine(string Label, int Count);

public sealed record ProbeRequest(string Name, Money Price, Instant StartsAt, LocalDate Day, ProbeKind Kind, IReadOnlyList<ProbeLine> Lines, PlanId? PlanId = null);

public sealed record ProbeView(LocationId Id, string Name, Money Price, Instant StartsAt, ProbeKind Kind, string? Note, long Version) : IVersioned;

public sealed record ProbeQuery(LocationId? LocationId = null, bool? Open = null, int? Floor = null, [property: JsonPropertyName("startsAt[gte]")] Instant? From = null);

public sealed class ProbeValidator : AbstractValidator<ProbeRequest>
{
    public ProbeValidator()
    {
        RuleFor(r => r.Name).NotEmpty();
        RuleForEach(r => r.Lines).ChildRules(l => l.RuleFor(x => x.Count).GreaterThan(0));
        RuleFor(r => r.StartsAt).Must(i => i > Instant.FromUtc(2024, 1, 1, 0, 0)).WithErrorCode(ErrorCodes.InThePast);
    }
}

/// <summary>What the probe does when it is called.</summary>
public sealed class ProbeBehaviour
{
    public Func<ProbeRequest, RequestContext, Reply<ProbeView>> Create { get; set; } = (r, _) => View(r);

    public Func<LocationId, RequestContext, Reply<ProbeView>> Get { get; set; } = (id, _) => View(null) with { Id = id };

    public List<string> Items { get; } = [];

    public static ProbeView View(ProbeRequest? request) => new(
        LocationId.FromValidated("loc_00000000000000000000000001"),
        request?.Name ?? "probe",
        request?.Price ?? new Money(1498, Currency.Parse("cad")),
        request?.StartsAt ?? Instant.FromUtc(2025, 1, 1, 9, 0),
        request?.Kind ?? ProbeKind.Plain,
        null,
        7);
}

public sealed class ProbeFunctions(ProbeBehaviour behaviour)
{
    [Function("Probe_Create")]
    [AllowAnyone("A test.")]
    public Task<IResult> Create([HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/probes")] HttpRequest request, CancellationToken ct) =>
        request.HandleAsync<ProbeRequest, ProbeView>(
            (r, context, _) => Task.FromResult(behaviour.Create(r, context)), Respond.Created<ProbeView>(v => $"/api/v1/probes/{v.Id}"), ct);

    [Function("Probe_Get")]
    [AllowAnyone("A test.")]
    public Task<IResult> Get([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/probes/{id}")] HttpRequest request, string id, CancellationToken ct) =>
        request.GetAsync<LocationId, ProbeView>(id, (i, context, _) => Task.FromResult(behaviour.Get(i, context)), ct);

    [Function("Probe_Charge")]
    [AllowAnyone("A test.")]
    [Operation("Charge", IdempotencyKey = Need.Required, IfMatch = Need.Required)]
    public Task<IResult> Charge([HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/probes/{id}/charge")] HttpRequest request, string id, CancellationToken ct) =>
        request.ActAsync<LocationId, ProbeView>(id, (i, context, _) => Task.FromResult(behaviour.Get(i, context)), ct);

    [Function("Probe_List")]
    [AllowAnyone("A test.")]
    public Task<IResult> List([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/probes")] HttpRequest request, CancellationToken ct) =>
        request.ListAsync<ProbeQuery, string>(
            (query, paging, _, _) => Task.FromResult<Reply<PageOf<string>>>(paging.Page(
                [.. behaviour.Items.Where(i => paging.After is null || string.CompareOrdinal(i, paging.After) > 0).Take(paging.Take)], i => i)),
            ct);

    [Function("Probe_Staff")]
    [Allow(Role.Staff)]
    public static Task<IResult> Staff([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/staff-probe")] HttpRequest request, CancellationToken ct) =>
        request.GetAsync<string>((context, _) => Task.FromResult<Reply<string>>(context.Caller.Subject), ct);

    [Function("Probe_OtherStaff")]
    [Allow(Role.Staff)]
    public static Task<IResult> OtherStaff(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/other-staff-probe")] HttpRequest request, CancellationToken ct) =>
        request.GetAsync<string>((context, _) => Task.FromResult<Reply<string>>(context.Caller.Subject), ct);

    [Function("Probe_Undeclared")]
    public static Task<IResult> Undeclared([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/undeclared")] HttpRequest request, CancellationToken ct) =>
        request.GetAsync<string>((_, _) => Task.FromResult<Reply<string>>("reached"), ct);
}
