using Flex.Platform.Http;
using Flex.Settings;
using FluentValidation;

namespace Flex.Catalogue;

/// <summary>A resource as a whole, for creating and for editing.</summary>
/// <param name="LocationId">Where it is; stays as it was created.</param>
/// <param name="Name">1 to 200 characters.</param>
/// <param name="Capacity">People or seats, 1 to 10,000.</param>
/// <param name="RateId">What it costs; without one it cannot be booked.</param>
public sealed record ResourceRequest(LocationId LocationId, string Name, ResourceKind Kind, int Capacity, RateId? RateId);

public sealed class ResourceValidator : AbstractValidator<ResourceRequest>
{
    public ResourceValidator()
    {
        RuleFor(r => r.Name).PlainText(200);
        RuleFor(r => r.Capacity).InclusiveBetween(1, 10_000);
    }
}

public sealed record ResourceView(
    ResourceId Id, LocationId LocationId, string Name, ResourceKind Kind, int Capacity, RateId? RateId, long Version) : IVersioned
{
    public static ResourceView Of(Resource r) => new(r.Id, r.LocationId, r.Name, r.Kind, r.Capacity, r.RateId, r.Version);
}

/// <param name="Location">Only resources of this location.</param>
public sealed record ResourceFilter(LocationId? Location = null);

public sealed class SaveResourceHandler(CatalogueStore store, SettingsStore settings, IIdSource ids)
{
    public async Task<Reply<ResourceView>> CreateAsync(ResourceRequest request, RequestContext context, CancellationToken cancellation)
    {
        if (await RefuseReferencesAsync(request, cancellation) is { } refusal)
        {
            return await store.ReplayOrAsync<ResourceView>(context, refusal, cancellation);
        }

        var resource = new Resource(
            EntityId.New<ResourceId>(ids), request.LocationId, request.Name, request.Kind, request.Capacity, request.RateId, request.RateId is not null, BookingTerms.None, null, Version: 1);
        return await store.CommitAsync(
            CatalogueStore.Put(CatalogueStore.Batch(), resource, etag: null), context, ResourceView.Of(resource), cancellation);
    }

    public async Task<Reply<ResourceView>> EditAsync(
        ResourceId id, ResourceRequest request, RequestContext context, CancellationToken cancellation)
    {
        if (await store.ReadResourceAsync(id, cancellation) is not { } found)
        {
            return Error.NotFound("The resource");
        }

        if (context.CheckIfMatch(found.Value.Version) is { } stale)
        {
            return stale;
        }

        if (request.LocationId != found.Value.LocationId)
        {
            return Error.Invalid(ErrorCodes.InvalidValue, "/locationId", "A resource stays at its location.");
        }

        if (await RefuseReferencesAsync(request, cancellation) is { } refusal)
        {
            return refusal;
        }

        Resource edited = found.Value with
        {
            Name = request.Name,
            Kind = request.Kind,
            Capacity = request.Capacity,
            RateId = request.RateId,
            IsPublished = request.RateId is not null,
            Version = found.Value.Version + 1,
        };
        return await store.CommitAsync(
            CatalogueStore.Put(CatalogueStore.Batch(), edited, found.ETag), context, ResourceView.Of(edited), cancellation);
    }

    private async Task<Error?> RefuseReferencesAsync(ResourceRequest request, CancellationToken cancellation)
    {
        if (await settings.FindLocationAsync(request.LocationId, cancellation) is not { } location)
        {
            return Error.Invalid(ErrorCodes.UnknownReference, "/locationId", "There is no such location.");
        }

        if (request.RateId is not { } rateId)
        {
            return null;
        }

        return await store.FindRateAsync(rateId, cancellation) is { } rate
            ? RateRules.RefuseAt(rate, location)
            : Error.Invalid(ErrorCodes.UnknownReference, "/rateId", "There is no such rate.");
    }
}
