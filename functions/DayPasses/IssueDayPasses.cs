using Flex.Members;
using Flex.Platform.Http;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using Flex.Settings;
using FluentValidation;
using NodaTime;

namespace Flex.DayPasses;

/// <param name="LocationId">Where they can be used.</param>
/// <param name="Passes">Whole days, 1 to 1,000.</param>
/// <param name="ValidFrom">First local day, inclusive; null: from ever.</param>
/// <param name="ValidTo">Last local day, inclusive; null: never expires.</param>
/// <param name="AccessGroups">At most 100 door access groups, granted while the pass can be used; of a shared one, for the rest of a day it was used on.</param>
/// <param name="Shared">For everybody of the member's customer instead of the member alone.</param>
public sealed record IssueDayPassesRequest(
    LocationId LocationId,
    int Passes,
    LocalDate? ValidFrom = null,
    LocalDate? ValidTo = null,
    IReadOnlyList<string>? AccessGroups = null,
    bool Shared = false);

public sealed class IssueDayPassesValidator : AbstractValidator<IssueDayPassesRequest>
{
    public IssueDayPassesValidator()
    {
        RuleFor(r => r.Passes).InclusiveBetween(1, 1000);
        RuleFor(r => r.ValidFrom).Must(IsADay).WithMessage("Days from 2000 to 2200.");
        RuleFor(r => r.ValidTo).Must(IsADay).WithMessage("Days from 2000 to 2200.");
        RuleFor(r => r.ValidTo).Must((r, to) => !(to < r.ValidFrom))
            .WithErrorCode(ErrorCodes.EndBeforeStart).WithMessage("The last day is before the first.");
        RuleFor(r => r.AccessGroups).Must(g => g is null || g.Count <= 100).WithMessage("At most 100 access groups.");
        RuleForEach(r => r.AccessGroups).PlainText(100);
    }

    private static bool IsADay(LocalDate? day) => day is null or { Year: >= 2000 and <= 2200 };
}

/// <summary>Staff give a member, or the member's company, day passes. Two storage calls.</summary>
public sealed class IssueDayPassesHandler(DayPassStore store, MemberStore members, SettingsStore settings, IIdSource ids, TimeProvider time)
{
    public async Task<Reply<DayPassView>> HandleAsync(
        MemberId memberId, IssueDayPassesRequest request, RequestContext context, CancellationToken cancellation)
    {
        if (await members.FindAsync(memberId, cancellation) is not { } member)
        {
            return Error.NotFound("The member");
        }

        if (await settings.FindLocationAsync(request.LocationId, cancellation) is not { } location)
        {
            return Error.Invalid(ErrorCodes.UnknownReference, "/locationId", "There is no such location.");
        }

        Instant now = time.Now();
        LocalDate today = location.Calendar.DateOf(now);
        DayPass pass = DayPass.Issue(
            EntityId.New<DayPassId>(ids, request.Shared ? EntityId.Home(member.CustomerId) : EntityId.Home(memberId)),
            request.Shared ? null : memberId,
            member.CustomerId,
            location.Id,
            DayPassSource.Staff,
            new PassDays(request.ValidFrom, request.ValidTo),
            request.Passes,
            request.AccessGroups ?? [],
            now,
            today);
        DayPassView view = DayPassView.Of(pass, today);
        TableBatch batch = request.Shared ? DayPassStore.BatchFor(member.CustomerId) : DayPassStore.BatchFor(memberId);
        DayPassStore.Put(batch, null, pass, location.Calendar, now).Remember(context, view, now);
        return await store.ReplyAsync(batch, await store.CommitAsync(batch, cancellation), context, view, cancellation);
    }
}

/// <summary>Handles <see cref="IssueSoldPasses"/>: PAS-1. Once per membership, because the id of the passes follows from its.</summary>
public sealed class IssueSoldPassesHandler(DayPassStore store, SettingsStore settings, TimeProvider time) : IMessageHandler
{
    public string Queue => Queues.Bookings;

    public string Subject => IssueSoldPasses.Subject;

    public async Task HandleAsync(Envelope envelope, CancellationToken cancellation)
    {
        IssueSoldPasses sold = envelope.Read<IssueSoldPasses>();
        Location location = await settings.LocationAsync(sold.LocationId, cancellation);
        Instant now = time.Now();
        LocalDate today = location.Calendar.DateOf(now);
        DayPass pass = DayPass.Issue(
            EntityId.Derive<DayPassId>($"sold|{sold.MembershipId}", EntityId.Home(sold.MemberId)),
            sold.MemberId,
            sold.CustomerId,
            sold.LocationId,
            DayPassSource.Sale,
            sold.ValidDays is { } days ? new PassDays(today, today.PlusDays(days - 1)) : PassDays.Always,
            sold.Passes,
            sold.AccessGroups,
            now,
            today);
        TableBatch batch = DayPassStore.BatchFor(sold.MemberId);
        CommitResult result = await store.CommitAsync(DayPassStore.Put(batch, null, pass, location.Calendar, now), cancellation);
        if (!result.IsDuplicateOf(DayPassStore.PassPrefix))
        {
            result.Require();
        }
    }
}
