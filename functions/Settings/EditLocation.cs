using Flex.Platform.Http;
using Flex.Platform.Tables;

namespace Flex.Settings;

/// <summary>Reads and edits of locations.</summary>
public sealed class LocationHandler(SettingsStore store)
{
    public async Task<Reply<LocationView>> GetAsync(LocationId id, RequestContext context, CancellationToken cancellation) =>
        await store.ReadLocationAsync(id, cancellation) is { } found ? LocationView.Of(found.Value) : Error.NotFound("The location");

    public async Task<Reply<PageOf<LocationView>>> ListAsync(NoQuery query, Paging paging, RequestContext context, CancellationToken cancellation)
    {
        IReadOnlyList<Location> locations = await store.PageLocationsAsync(paging.After, paging.Take, cancellation);
        return paging.Page<LocationView>([.. locations.Select(LocationView.Of)], l => l.Id.Value);
    }

    /// <summary>Every price and open amount of a location is in its currency, hence that stays; name, zone and opening hours may change.</summary>
    public async Task<Reply<LocationView>> EditAsync(LocationId id, LocationRequest request, RequestContext context, CancellationToken cancellation)
    {
        if (await store.ReadLocationAsync(id, cancellation) is not Stored<Location> found)
        {
            return Error.NotFound("The location");
        }

        if (context.CheckIfMatch(found.Value.Version) is { } stale)
        {
            return stale;
        }

        if (!request.Currency.Equals(found.Value.Currency))
        {
            return Error.Invalid(ErrorCodes.CurrencyMismatch, "/currency", "The currency of a location cannot be changed.");
        }

        Location edited = found.Value with
        {
            Name = request.Name,
            TimeZone = request.TimeZone,
            OpeningHours = request.OpeningHours ?? found.Value.OpeningHours,
            Version = found.Value.Version + 1,
        };
        return await store.CommitAsync(SettingsStore.Replace(edited, found.ETag), context, LocationView.Of(edited), cancellation);
    }
}
