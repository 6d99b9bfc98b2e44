using Flex.Bookings;
using Flex.Catalogue;
using Flex.Platform.Identity;
using Flex.Settings;
using Flex.Wallets;
using NodaTime;

namespace Flex.RecurringBookings;

/// <summary>What is to be planned.</summary>
/// <param name="OverridePolicy">Staff only.</param>
public sealed record SeriesWish(ResourceId ResourceId, MemberId? MemberId, bool OverridePolicy);

/// <summary>
/// Looks whether every occurrence of a series can be booked, and for how much (REC-1, REC-6). Three storage calls at most, however many
/// there are: the member, the agendas and, where it can matter, the wallet.
/// </summary>
public sealed class SeriesPlanner(
    BookingWishes wishes, BookingStore bookings, CatalogueStore catalogue, SettingsStore settings, WalletReader wallets, TimeProvider time)
{
    /// <summary>A refusal of what is wrong with the request as a whole, else the plan, in which single occurrences may be refused.</summary>
    /// <param name="schedule">The schedule, given the zone of the location.</param>
    /// <param name="idOf">The bookings' ids: their own slots are in nobody's way.</param>
    /// <param name="isWanted">Which of the occurrences are to be booked; the others are not in the plan.</param>
    /// <param name="leaving">Slots that will be free by then; null: none. The plan's agendas are without them.</param>
    public async Task<Result<SeriesPlan>> PlanAsync(
        SeriesWish wish,
        Func<string, SeriesSchedule> schedule,
        Func<LocalDate, BookingId> idOf,
        Func<Occurrence, bool> isWanted,
        Caller caller,
        CancellationToken cancellation,
        IReadOnlyList<KeptSlot>? leaving = null)
    {
        if (await catalogue.FindResourceAsync(wish.ResourceId, cancellation) is not { } resource)
        {
            return Error.Invalid(ErrorCodes.UnknownReference, "/resourceId", "There is no such resource.");
        }

        SeriesSchedule when = schedule((await settings.LocationAsync(resource.LocationId, cancellation)).TimeZone);
        Result<IReadOnlyList<Occurrence>> all = when.Check();
        if (all.IsError)
        {
            return all.Error;
        }

        Occurrence[] wanted = [.. all.Value.Where(isWanted)];
        if (wanted.Length == 0)
        {
            return new Error(ErrorKind.Invalid, ErrorCodes.InvalidValue, "There is nothing to book.");
        }

        Instant now = time.Now();
        Result<BookingWish> first = await wishes.PrepareAsync(wish.ResourceId, wanted[0].Start, wanted[0].End, wish.MemberId, caller, cancellation);
        if (first.IsError)
        {
            return OnTheWall(first.Error);
        }

        if (RefuseAll(first.Value, wanted, wish.OverridePolicy, caller, now) is { } refusal)
        {
            return OnTheWall(refusal);
        }

        LocalDate today = first.Value.Location.Calendar.DateOf(now);
        LocalDate horizon = AccountingHorizon.Of(today);
        PlannedOccurrence[] planned = [.. wanted.Select(o => Look(o, o.Date <= horizon, first.Value, wish.OverridePolicy, now))];
        KeptSlot[] slots = [.. planned.Select(p => new KeptSlot(resource.Id, AgendaSlot.Of(idOf(p.Date), p.Occurrence.Time, Buffers.Of(resource))))];
        AgendaSheet sheet = await bookings.ReadAgendasAsync(resource.LocationId, [.. slots.SelectMany(s => s.Keys).Distinct()], cancellation);
        sheet.Free(leaving ?? []);
        for (int i = 0; i < planned.Length; i++)
        {
            if (planned[i].Refusal is null && sheet.ConflictOf(resource.Id, slots[i].Slot) is { } conflict)
            {
                planned[i] = planned[i] with { Refusal = CreateBookingHandler.Conflict(conflict, caller), Conflict = conflict };
            }
        }

        StoredWallet? wallet = null;
        if (planned.Any(p => p is { Refusal: null, Takes: true }))
        {
            wallet = await wallets.ReadAsync(first.Value.Member.Id, cancellation);
            bool passes = (await settings.GetOperatorAsync(cancellation)).BookingPassesEnabled;
            Price(planned, first.Value, wallet.Wallet, idOf, passes);
        }

        return new SeriesPlan(first.Value, when, today, planned, sheet, wallet);
    }

    /// <summary>Null when the caller may book such a series at all. Members book single times of what needs approval, staff whole series.</summary>
    private static Error? RefuseAll(BookingWish first, Occurrence[] wanted, bool overridePolicy, Caller caller, Instant now)
    {
        if (overridePolicy && !caller.IsStaff)
        {
            return new Error(ErrorKind.Forbidden, ErrorCodes.Forbidden, "Only staff may set a policy aside.");
        }

        if (first.Resource.Terms.RequiresApproval && !caller.IsStaff)
        {
            return BookingRules.Policy("requiresApproval", "/resourceId", "Bookings here need approval: series are booked by staff.").Error;
        }

        if (wanted[0].Start >= now && BookingRules.RefuseTime(wanted[0].Start, now) is { } tooFar)
        {
            return tooFar;
        }

        SiteCalendar calendar = first.Location.Calendar;
        return wanted.Select(o => BookingRules.RefuseInterval(o.Start, o.End, calendar)).FirstOrDefault(refusal => refusal is not null);
    }

    /// <summary>All that is to be said without agenda and wallet.</summary>
    private static PlannedOccurrence Look(Occurrence occurrence, bool isToAccount, BookingWish any, bool overridePolicy, Instant now)
    {
        BookingWish wish = any with { Time = occurrence.Time };
        bool takes = isToAccount && OccurrenceAccounts.Takes(wish);
        var planned = new PlannedOccurrence(occurrence, isToAccount, Takes: takes);
        if (occurrence.Start < now)
        {
            return planned with { Refusal = Error.Invalid(ErrorCodes.InThePast, "/localStart", "The occurrence is in the past.") };
        }

        if (BookingRules.BrokenPolicy(wish, now) is { } broken)
        {
            if (!overridePolicy)
            {
                return planned with { Refusal = OnTheWall(broken.Error) };
            }

            planned = planned with { Override = broken.Rule };
        }

        BookingPrice plain = BookingPrice.Plain(RateRules.PriceOf(wish.Rated));
        BookingPrice least = takes ? BookingPrice.Free(wish.Rate.Currency) : plain;
        return OccurrenceAccounts.RefuseStanding(wish, least) is { } refusal ? planned with { Refusal = refusal } : planned with { Price = plain };
    }

    /// <summary>What the wallet makes of the occurrences that are accounted at once, in order.</summary>
    private static void Price(PlannedOccurrence[] planned, BookingWish any, Wallet wallet, Func<LocalDate, BookingId> idOf, bool passesEnabled)
    {
        int[] taking = [.. Enumerable.Range(0, planned.Length).Where(i => planned[i] is { Refusal: null, Takes: true })];
        BookingWish[] wished = [.. taking.Select(i => any with { Time = planned[i].Occurrence.Time })];
        DrawRequest[] requests = [.. taking.Select((at, i) => new DrawRequest(idOf(planned[at].Date), BookingSettler.FirstDraw, any.Resource.Id, wished[i].Rated)
        {
            Refuse = price => OccurrenceAccounts.RefuseStanding(wished[i], price),
        })];
        DrawPlan plan = DrawPlan.Of(any.Terms, wallet, new Dictionary<BookingId, Platform.Tables.Stored<Draw>>(), requests, DrawMode.Each, passesEnabled);
        for (int i = 0; i < taking.Length; i++)
        {
            Result<BookingPrice> price = plan.Answers[i];
            planned[taking[i]] = price.IsError
                ? planned[taking[i]] with { Price = null, Refusal = price.Error }
                : planned[taking[i]] with { Price = price.Value };
        }
    }

    /// <summary>The refusal of a booking, in terms of the request for a series.</summary>
    private static Error OnTheWall(Error refusal) => refusal with
    {
        Fields = [.. refusal.Fields.Select(f => f with
        {
            Pointer = f.Pointer switch { "/start" => "/localStart", "/end" => "/localEnd", _ => f.Pointer },
        })],
    };
}
