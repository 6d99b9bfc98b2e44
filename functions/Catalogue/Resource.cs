using Flex.Settings;
using NodaTime;

namespace Flex.Catalogue;

public enum ResourceKind
{
    MeetingRoom,
    HotDesk,
    DedicatedDesk,
    PrivateOffice,
    EventSpace,
    Equipment,
}

/// <summary>Something bookable at a location. Without a rate it cannot be booked: a booking there would create no charge.</summary>
/// <param name="IsPublished">Members and visitors see and book it; without a rate it cannot be published (CAT-6).</param>
/// <param name="Image">Name of its picture; null is none.</param>
public sealed record Resource(
    ResourceId Id,
    LocationId LocationId,
    string Name,
    ResourceKind Kind,
    int Capacity,
    RateId? RateId,
    bool IsPublished,
    BookingTerms Terms,
    string? Image,
    long Version);

/// <summary>Under which conditions a resource is booked (BKG-4, BKG-5, BKG-10, BKG-13, BKG-15). What is left out is not restricted.</summary>
/// <param name="OpeningHours">Null: those of the location.</param>
/// <param name="OnlyWithinOpeningHours">Whether members may book outside the opening hours.</param>
/// <param name="BufferBeforeMinutes">Kept free before every booking, 0 to 1,440, on the 5-minute grid; taken from bookings as they are made.</param>
/// <param name="BufferAfterMinutes">Kept free after every booking, as before it.</param>
/// <param name="MinMinutes">Shortest booking; null: one step of the grid.</param>
/// <param name="MaxMinutes">Longest booking; null: 31 days.</param>
/// <param name="LeadMinutes">How long before its start a booking must be made.</param>
/// <param name="MaxAheadDays">How far ahead, at most 731; null: 731.</param>
/// <param name="CancellationNoticeMinutes">Elapsed minutes before the start from which on members cannot cancel or change; 0: until the start.</param>
/// <param name="RequiresApproval">Members' bookings are tentative, and hold the slot, until staff approve them.</param>
/// <param name="ApprovalDeadlineMinutes">A booking not approved this long before its start is cancelled.</param>
/// <param name="CheckInGraceMinutes">A booking not checked in this long after its start is a no-show and its slot is free again; null: no check-in. At most 60.</param>
/// <param name="AllowedPlanIds">With <paramref name="AllowedMemberIds"/> who may book; both empty: everyone <paramref name="Audience"/> says.</param>
public sealed record BookingTerms(
    OpeningHours? OpeningHours = null,
    bool OnlyWithinOpeningHours = false,
    int BufferBeforeMinutes = 0,
    int BufferAfterMinutes = 0,
    int? MinMinutes = null,
    int? MaxMinutes = null,
    int LeadMinutes = 0,
    int? MaxAheadDays = null,
    int CancellationNoticeMinutes = 0,
    bool RequiresApproval = false,
    int ApprovalDeadlineMinutes = 0,
    int? CheckInGraceMinutes = null,
    BookingAudience Audience = BookingAudience.Members,
    IReadOnlyList<PlanId>? AllowedPlanIds = null,
    IReadOnlyList<MemberId>? AllowedMemberIds = null)
{
    /// <summary>Anyone with a membership, at any time, without notice.</summary>
    public static BookingTerms None { get; } = new();

    public IReadOnlyList<PlanId> AllowedPlanIds { get; init; } = AllowedPlanIds ?? [];

    public IReadOnlyList<MemberId> AllowedMemberIds { get; init; } = AllowedMemberIds ?? [];
}

public enum BookingAudience
{
    /// <summary>Members, and those who pay at once; also visitors without an account (BKG-15).</summary>
    Everyone,

    /// <summary>People with an account.</summary>
    Members,

    /// <summary>Staff only, in the name of members.</summary>
    Staff,
}

/// <summary>A price list entry for resources: at least one price. A booking costs the cheapest single variant (CAT-8).</summary>
/// <param name="HourlyPrice">Net price per hour.</param>
/// <param name="DailyPrice">Per local day touched, whatever its length.</param>
/// <param name="HalfDayPrice">Per half of the location's opening minutes of a day, rounded up.</param>
/// <param name="WeekPrice">Per 7 local days touched, rounded up.</param>
/// <param name="MonthPrice">Per calendar month covered, rounded up.</param>
/// <param name="WeekendHourlyPrice">Instead of the hourly price on Saturdays and Sundays.</param>
/// <param name="WeekendDailyPrice">Instead of the daily price on Saturdays and Sundays.</param>
/// <param name="OutsideHoursHourlyPrice">Instead of the hourly price outside the opening hours, where the weekend price does not apply.</param>
/// <param name="LocationIds">Where it applies; empty is everywhere with that currency.</param>
public sealed record Rate(
    RateId Id,
    string Name,
    Money? HourlyPrice,
    Money? DailyPrice,
    Money? HalfDayPrice,
    Money? WeekPrice,
    Money? MonthPrice,
    Money? WeekendHourlyPrice,
    Money? WeekendDailyPrice,
    Money? OutsideHoursHourlyPrice,
    TaxRateId? TaxRateId,
    IReadOnlyList<LocationId> LocationIds,
    long Version)
{
    /// <summary>The prices that are set.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public IEnumerable<Money> Prices => new[]
    {
        HourlyPrice, DailyPrice, HalfDayPrice, WeekPrice, MonthPrice, WeekendHourlyPrice, WeekendDailyPrice, OutsideHoursHourlyPrice,
    }.OfType<Money>();

    [System.Text.Json.Serialization.JsonIgnore]
    public Currency Currency => Prices.First().Currency;

    /// <summary>Every price is 0: neither credits nor passes are used, and no block applies.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public bool IsFree => Prices.All(p => p.IsZero);

    /// <summary>Whole days only.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public bool IsDaily => HourlyPrice is null && HalfDayPrice is null;
}

/// <summary>A time of a resource, with all that decides what it costs.</summary>
/// <param name="Hours">The opening hours that count: the resource's or else the location's.</param>
public sealed record RatedTime(Rate Rate, Interval Time, SiteCalendar Calendar, OpeningHours Hours)
{
    public static RatedTime Of(Resource resource, Rate rate, Location location, Interval time) =>
        new(rate, time, location.Calendar, resource.Terms.OpeningHours ?? location.OpeningHours);
}
