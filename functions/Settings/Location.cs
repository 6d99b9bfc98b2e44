using System.Text.Json.Serialization;
using NodaTime;

namespace Flex.Settings;

/// <summary>A place: its IANA time zone decides every local day, its currency every price there.</summary>
public sealed record Location(LocationId Id, string Name, string TimeZone, Currency Currency, long Version)
{
    public OpeningHours OpeningHours { get; init; } = OpeningHours.Usual;

    [JsonIgnore]
    public SiteCalendar Calendar => new(TimeZone);
}
