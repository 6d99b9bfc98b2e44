using Flex.Platform.Http;
using FluentValidation;

namespace Flex.Settings;

/// <param name="Name">1 to 200 characters.</param>
/// <param name="TimeZone">IANA zone id, e.g. <c>America/New_York</c>.</param>
/// <param name="Currency">ISO 4217 code on the allow-list; it cannot be changed later.</param>
/// <param name="OpeningHours">Null: Monday to Friday, 09:00 to 18:00, for a new location; as they are in an edit.</param>
public sealed record LocationRequest(string Name, string TimeZone, Currency Currency, OpeningHours? OpeningHours);

public sealed class LocationValidator : AbstractValidator<LocationRequest>
{
    public LocationValidator()
    {
        RuleFor(r => r.Name).PlainText(200);
        RuleFor(r => r.TimeZone).Must(SiteCalendar.IsKnownZone).WithMessage("Not an IANA time zone id.");
        RuleFor(r => r.OpeningHours!).SetValidator(new OpeningHoursValidator()).When(r => r.OpeningHours is not null);
    }
}

public sealed record LocationView(
    LocationId Id, string Name, string TimeZone, Currency Currency, OpeningHours OpeningHours, long Version) : IVersioned
{
    public static LocationView Of(Location location) =>
        new(location.Id, location.Name, location.TimeZone, location.Currency, location.OpeningHours, location.Version);
}

public sealed class CreateLocationHandler(SettingsStore store, IIdSource ids)
{
    public async Task<Reply<LocationView>> HandleAsync(LocationRequest request, RequestContext context, CancellationToken cancellation)
    {
        var location = new Location(EntityId.New<LocationId>(ids), request.Name, request.TimeZone, request.Currency, Version: 1)
        {
            OpeningHours = request.OpeningHours ?? OpeningHours.Usual,
        };
        return await store.CommitAsync(SettingsStore.Insert(location), context, LocationView.Of(location), cancellation);
    }
}
