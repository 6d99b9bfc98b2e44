using Flex.Platform.Http;
using Flex.Settings;

namespace Flex.Catalogue;

/// <summary>Reads of plans, resources and rates. Members see public plans and published resources only, and not who else may book one.</summary>
public sealed class CatalogueReader(CatalogueStore store, SettingsStore settings)
{
    public async Task<Reply<PlanView>> GetPlanAsync(PlanId id, RequestContext context, CancellationToken cancellation) =>
        await store.ReadPlanAsync(id, cancellation) is { } found && IsVisible(found.Value, context)
            ? PlanView.Of(found.Value)
            : Error.NotFound("The plan");

    public async Task<Reply<PageOf<PlanView>>> ListPlansAsync(
        PlanFilter filter, Paging paging, RequestContext context, CancellationToken cancellation)
    {
        IReadOnlyList<Plan> plans = await store.PagePlansAsync(
            p => (filter.Location is null || p.LocationId == filter.Location) && IsVisible(p, context), paging.After, paging.Take, cancellation);
        return paging.Page<PlanView>([.. plans.Select(PlanView.Of)], p => p.Id.Value);
    }

    public async Task<Reply<ResourceView>> GetResourceAsync(ResourceId id, RequestContext context, CancellationToken cancellation) =>
        await store.ReadResourceAsync(id, cancellation) is { } found && IsVisible(found.Value, context)
            ? ResourceView.Of(found.Value).For(context.Caller)
            : Error.NotFound("The resource");

    public async Task<Reply<PageOf<ResourceView>>> ListResourcesAsync(
        ResourceFilter filter, Paging paging, RequestContext context, CancellationToken cancellation)
    {
        IReadOnlyList<Resource> resources = await store.PageResourcesAsync(
            r => (filter.Location is null || r.LocationId == filter.Location)
                && (filter.Kind is null || r.Kind == filter.Kind)
                && (filter.Capacity is null || r.Capacity >= filter.Capacity)
                && IsVisible(r, context),
            paging.After,
            paging.Take,
            cancellation);
        return paging.Page<ResourceView>([.. resources.Select(r => ResourceView.Of(r).For(context.Caller))], r => r.Id.Value);
    }

    public async Task<Reply<RateView>> GetRateAsync(RateId id, RequestContext context, CancellationToken cancellation) =>
        await store.ReadRateAsync(id, cancellation) is { } found ? RateView.Of(found.Value) : Error.NotFound("The rate");

    /// <summary>A filter by a location that does not exist matches nothing.</summary>
    public async Task<Reply<PageOf<RateView>>> ListRatesAsync(
        RateFilter filter, Paging paging, RequestContext context, CancellationToken cancellation)
    {
        Location? location = filter.Location is { } id ? await settings.FindLocationAsync(id, cancellation) : null;
        IReadOnlyList<Rate> rates = await store.PageRatesAsync(
            r => filter.Location is null || (location is not null && RateRules.Matches(r, location, filter.Scope)),
            paging.After,
            paging.Take,
            cancellation);
        return paging.Page<RateView>([.. rates.Select(RateView.Of)], r => r.Id.Value);
    }

    internal static bool IsVisible(Plan plan, RequestContext context) => plan.IsPublic || context.Caller.IsStaff;

    internal static bool IsVisible(Resource resource, RequestContext context) => resource.IsPublished || context.Caller.IsStaff;
}
