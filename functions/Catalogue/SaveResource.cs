using Flex.Platform.Http;
using Flex.Platform.Identity;
using Flex.Settings;
using FluentValidation;

namespace Flex.Catalogue;

/// <summary>A resource as a whole, for creating and for editing.</summary>
/// <param name="LocationId">Where it is; stays as it was created.</param>
/// <param name="Name">1 to 200 characters.</param>
/// <param name="Capacity">People or seats, 1 to 10,000.</param>
/// <param name="RateId">What it costs; without one it can be neither published nor booked.</param>
/// <param name="IsPublished">Whether members see and book it; null: when it has a rate.</param>
/// <param name="Terms">Null: anyone with a membership, at any time, without notice.</param>
public sealed record ResourceRequest(
    LocationId LocationId, string Name, ResourceKind Kind, int Capacity, RateId? RateId, bool? IsPublished, BookingTerms? Terms);

public sealed class ResourceValidator : AbstractValidator<ResourceRequest>
{
    public ResourceValidator()
    {
        RuleFor(r => r.Name).PlainText(200);
        RuleFor(r => r.Capacity).InclusiveBetween(1, 10_000);
        RuleFor(r => r.Terms!).SetValidator(new BookingTermsValidator()).When(r => r.Terms is not null);
    }
}

/// <param name="IsRestricted">Only the plans and members that <paramref name="Terms"/> name may book it; members see themselves there, and no others.</param>
/// <param name="Image">Path of its picture; null is none.</param>
public sealed record ResourceView(
    ResourceId Id,
    LocationId LocationId,
    string Name,
    ResourceKind Kind,
    int Capacity,
    RateId? RateId,
    bool IsPublished,
    BookingTerms Terms,
    bool IsRestricted,
    string? Image,
    long Version) : IVersioned
{
    public static ResourceView Of(Resource r) => new(
        r.Id,
        r.LocationId,
        r.Name,
        r.Kind,
        r.Capacity,
        r.RateId,
        r.IsPublished,
        r.Terms,
        r.Terms.AllowedPlanIds.Count > 0 || r.Terms.AllowedMemberIds.Count > 0,
        r.Image is null ? null : $"/api/v1/resources/{r.Id}/image",
        r.Version);

    /// <summary>As the caller may see it: who else may book is nobody's business but staff's.</summary>
    public ResourceView For(Caller caller) =>
        this with { Terms = Terms with { AllowedMemberIds = [.. Terms.AllowedMemberIds.Where(caller.Reaches)] } };
}

/// <param name="Location">Only resources of this location.</param>
/// <param name="Kind">Only resources of this kind.</param>
/// <param name="Capacity">Only resources for at least this many people.</param>
public sealed record ResourceFilter(LocationId? Location = null, ResourceKind? Kind = null, int? Capacity = null);

public sealed class SaveResourceHandler(CatalogueStore store, SettingsStore settings, IIdSource ids)
{
    public async Task<Reply<ResourceView>> CreateAsync(ResourceRequest request, RequestContext context, CancellationToken cancellation)
    {
        if (await RefuseAsync(request, cancellation) is { } refusal)
        {
            return await store.ReplayOrAsync<ResourceView>(context, refusal, cancellation);
        }

        Resource resource = Make(EntityId.New<ResourceId>(ids), request, image: null, version: 1);
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

        if (await RefuseAsync(request, cancellation) is { } refusal)
        {
            return refusal;
        }

        Resource edited = Make(id, request, found.Value.Image, found.Value.Version + 1);
        return await store.CommitAsync(
            CatalogueStore.Put(CatalogueStore.Batch(), edited, found.ETag), context, ResourceView.Of(edited), cancellation);
    }

    private static Resource Make(ResourceId id, ResourceRequest request, string? image, long version) => new(
        id,
        request.LocationId,
        request.Name,
        request.Kind,
        request.Capacity,
        request.RateId,
        request.IsPublished ?? request.RateId is not null,
        request.Terms ?? BookingTerms.None,
        image,
        version);

    private async Task<Error?> RefuseAsync(ResourceRequest request, CancellationToken cancellation)
    {
        if (await settings.FindLocationAsync(request.LocationId, cancellation) is not { } location)
        {
            return Error.Invalid(ErrorCodes.UnknownReference, "/locationId", "There is no such location.");
        }

        if (request.RateId is { } rateId)
        {
            if (await store.FindRateAsync(rateId, cancellation) is not { } rate)
            {
                return Error.Invalid(ErrorCodes.UnknownReference, "/rateId", "There is no such rate.");
            }

            if (RateRules.RefuseAt(rate, location) is { } elsewhere)
            {
                return elsewhere;
            }
        }
        else if (request.IsPublished == true)
        {
            return Error.Refused(ErrorCodes.ResourceRateRequired, "A resource without a rate cannot be published.");
        }

        IReadOnlyList<PlanId> plans = request.Terms?.AllowedPlanIds ?? [];
        for (int i = 0; i < plans.Count; i++)
        {
            if (await store.FindPlanAsync(plans[i], cancellation) is null)
            {
                return Error.Invalid(ErrorCodes.UnknownReference, $"/terms/allowedPlanIds/{i}", "There is no such plan.");
            }
        }

        return null;
    }
}
