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
public sealed record Resource(
    ResourceId Id,
    LocationId LocationId,
    string Name,
    ResourceKind Kind,
    int Capacity,
    RateId? RateId,
    long Version);

/// <summary>A price list entry for resources.</summary>
/// <param name="HourlyPrice">Net price per hour.</param>
/// <param name="LocationIds">Where it applies; empty is everywhere with that currency.</param>
public sealed record Rate(
    RateId Id,
    string Name,
    Money HourlyPrice,
    TaxRateId? TaxRateId,
    IReadOnlyList<LocationId> LocationIds,
    long Version);
