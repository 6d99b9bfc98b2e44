using Flex.Members;
using Flex.Platform.Http;
using Flex.Platform.Tables;
using Flex.Settings;
using NodaTime;

namespace Flex.DayPasses;

/// <summary>A pass as it can be used today, on its location's calendar.</summary>
/// <param name="Id">Null for the passes of a membership.</param>
/// <param name="MembershipId">The membership that gives them monthly; null for a pass.</param>
/// <param name="MemberId">Whose it is; null: shared by the customer's members.</param>
/// <param name="Passes">Days in all; of a membership, per cycle.</param>
/// <param name="Remaining">Days that can still be taken.</param>
/// <param name="Version">0 for the passes of a membership.</param>
public sealed record DayPassView(
    DayPassId? Id,
    MembershipId? MembershipId,
    DayPassSource Source,
    MemberId? MemberId,
    CustomerId CustomerId,
    LocationId LocationId,
    LocalDate? ValidFrom,
    LocalDate? ValidTo,
    decimal Passes,
    decimal Used,
    decimal Remaining,
    IReadOnlyList<string> AccessGroups,
    DayPassState State,
    long Version) : IVersioned
{
    public static DayPassView Of(DayPass pass, LocalDate today) => new(
        pass.Id,
        null,
        pass.Source,
        pass.MemberId,
        pass.CustomerId,
        pass.LocationId,
        pass.Days.From,
        pass.Days.To,
        Days(pass.Halves),
        Days(pass.UsedHalves),
        Days(pass.Left),
        pass.AccessGroups,
        pass.StateOn(today),
        pass.Version);

    public static DayPassView Of(MonthlyPass pass, int usedHalves, Member member, LocalDate today) => new(
        null,
        pass.MembershipId,
        DayPassSource.Monthly,
        member.Id,
        member.CustomerId,
        pass.LocationId,
        pass.Days.From,
        pass.Days.To,
        Days(pass.Halves),
        Days(usedHalves),
        Days(pass.Halves - usedHalves),
        [],
        DayPass.Judge(pass.Days, pass.Halves - usedHalves, today),
        0);

    /// <summary>Half days as days.</summary>
    public static decimal Days(int halves) => halves / (decimal)DayPass.HalvesPerDay;
}

/// <param name="Date">The location's local day; today if left out.</param>
public sealed record CheckInFilter(LocationId LocationId, LocalDate? Date = null);

/// <summary>Reads of passes and check-ins. What is another member's answers as one that does not exist.</summary>
public sealed class DayPassReader(DayPassStore store, MonthlyPasses memberships, MemberStore members, SettingsStore settings, TimeProvider time)
{
    /// <summary>What a member can use or could: their own passes, the company's, and those of their memberships. Four storage calls and more with memberships.</summary>
    public async Task<Reply<PageOf<DayPassView>>> ListAsync(MemberId id, Paging paging, RequestContext context, CancellationToken cancellation)
    {
        if (!context.Caller.Reaches(id) || await members.FindAsync(id, cancellation) is not { } member)
        {
            return Error.NotFound("The member");
        }

        PassHolding own = await store.ReadAsync(id, cancellation);
        PassHolding shared = await store.ReadSharedAsync(member.CustomerId, cancellation);
        var views = new List<(string Position, DayPassView View)>();
        foreach (DayPass pass in own.Passes.Concat(shared.Passes).Select(p => p.Value))
        {
            Location location = await settings.LocationAsync(pass.LocationId, cancellation);
            views.Add((pass.Id.Value, DayPassView.Of(pass, location.Calendar.DateOf(time.Now()))));
        }

        foreach (LocationId place in member.Standing.Where(MemberStanding.IsPaid).Select(s => s.LocationId).Distinct())
        {
            Location location = await settings.LocationAsync(place, cancellation);
            LocalDate today = location.Calendar.DateOf(time.Now());
            foreach (MonthlyPass monthly in (await memberships.AtAsync(member, location, today, cancellation)).Passes)
            {
                views.Add((monthly.MembershipId.Value, DayPassView.Of(monthly, own.UsedOf(monthly), member, today)));
            }
        }

        return paging.Page<DayPassView>(
            [.. views.OrderBy(v => v.Position, StringComparer.Ordinal)
                .Where(v => paging.After is null || string.CompareOrdinal(v.Position, paging.After) > 0)
                .Take(paging.Take)
                .Select(v => v.View)],
            v => v.Id?.Value ?? v.MembershipId!.Value.Value);
    }

    public async Task<Reply<CheckInView>> GetCheckInAsync(CheckInId id, RequestContext context, CancellationToken cancellation) =>
        await store.FindCheckInAsync(id, cancellation) is { } found && context.Caller.Reaches(found.Value.MemberId)
            ? CheckInView.Of(found.Value)
            : Error.NotFound("The check-in");

    /// <summary>Who has been at a location on a day. One range read, and side by side one point read each.</summary>
    public async Task<Reply<PageOf<CheckInView>>> ListCheckInsAsync(
        CheckInFilter filter, Paging paging, RequestContext context, CancellationToken cancellation)
    {
        if (filter.Date is { Year: < 2000 or > 2200 })
        {
            return Error.Invalid(ErrorCodes.InvalidValue, "/date", "Days from 2000 to 2200.");
        }

        if (await settings.FindLocationAsync(filter.LocationId, cancellation) is not { } location)
        {
            return Error.NotFound("The location");
        }

        IReadOnlyList<CheckInId> found = await store.PageOfDayAsync(
            location.Id, filter.Date ?? location.Calendar.DateOf(time.Now()), paging.After, paging.Take, cancellation);
        Stored<CheckIn>?[] read = await Task.WhenAll(found.Select(id => store.FindCheckInAsync(id, cancellation)));
        PageOf<CheckInId> page = paging.Page(found, id => id.Value);
        return new PageOf<CheckInView>(
            [.. read.Take(page.Results.Count).OfType<Stored<CheckIn>>().Select(c => CheckInView.Of(c.Value))],
            page.CursorNext,
            page.CursorPrev,
            page.HasMore);
    }
}
