using Flex.Platform.Http;
using Flex.Platform.Tables;
using Flex.Settings;

namespace Flex.Catalogue;

/// <summary>Creates and edits plans; the location's default flag moves in the same commit.</summary>
public sealed class SavePlanHandler(CatalogueStore store, SettingsStore settings, IIdSource ids)
{
    /// <summary>Somebody else moving the same location's flag makes one round stale; ten in a row are no longer chance.</summary>
    private const int MaxRounds = 10;

    public async Task<Reply<PlanView>> CreateAsync(PlanRequest request, RequestContext context, CancellationToken cancellation)
    {
        if (await RefuseReferencesAsync(request, cancellation) is { } refusal)
        {
            return await store.ReplayOrAsync<PlanView>(context, refusal, cancellation);
        }

        Plan plan = Make(EntityId.New<PlanId>(ids), request, image: null, version: 1);
        for (int round = 0; round < MaxRounds; round++)
        {
            TableBatch batch = CatalogueStore.Put(CatalogueStore.Batch(), plan, etag: null);
            await MoveDefaultAsync(batch, plan, cancellation);
            if (await store.TryCommitAsync(batch, context, PlanView.Of(plan), cancellation) is { } reply)
            {
                return reply;
            }
        }

        throw new TransientFaultException("The location's default plan keeps changing.");
    }

    public async Task<Reply<PlanView>> EditAsync(PlanId id, PlanRequest request, RequestContext context, CancellationToken cancellation)
    {
        for (int round = 0; round < MaxRounds; round++)
        {
            if (await store.ReadPlanAsync(id, cancellation) is not { } found)
            {
                return Error.NotFound("The plan");
            }

            if (context.CheckIfMatch(found.Value.Version) is { } stale)
            {
                return stale;
            }

            if (RefuseEdit(found.Value, request) is { } illegal)
            {
                return illegal;
            }

            if (await RefuseReferencesAsync(request, cancellation) is { } refusal)
            {
                return refusal;
            }

            Plan plan = Make(id, request, found.Value.Image, found.Value.Version + 1);
            TableBatch batch = CatalogueStore.Put(CatalogueStore.Batch(), plan, found.ETag);
            await MoveDefaultAsync(batch, plan, cancellation);
            if (await store.TryCommitAsync(batch, context, PlanView.Of(plan), cancellation) is { } reply)
            {
                return reply;
            }
        }

        throw new TransientFaultException("The plan keeps changing.");
    }

    /// <summary>Pure: what an edit may not do.</summary>
    public static Error? RefuseEdit(Plan current, PlanRequest request)
    {
        if (request.LocationId != current.LocationId)
        {
            return Error.Invalid(ErrorCodes.InvalidValue, "/locationId", "A plan stays at its location.");
        }

        return current.IsDefault && !request.IsDefault
            ? Error.Refused(ErrorCodes.InvalidTransition, "The location needs a default plan: make another one the default instead.")
            : null;
    }

    /// <summary>Pure: every price is in the location's currency.</summary>
    public static Error? RefusePrices(PlanRequest request, Currency currency)
    {
        IEnumerable<(string Pointer, Money? Price)> prices =
        [
            ("/price", request.Price),
            .. (request.Credits ?? []).SelectMany((c, i) => new (string, Money?)[] { ($"/credits/{i}/amount", c.Amount), ($"/credits/{i}/pricePerHour", c.PricePerHour) }),
            .. (request.PassOffers ?? []).Select((o, i) => ($"/passOffers/{i}/price", (Money?)o.Price)),
        ];
        return prices.Where(p => p.Price is { } price && !price.Currency.Equals(currency)).Select(p => p.Pointer).FirstOrDefault() is { } pointer
            ? Error.Invalid(ErrorCodes.CurrencyMismatch, pointer + "/currency", $"Prices of this location are in {currency}.")
            : null;
    }

    private static IEnumerable<(string Pointer, TaxRateId Id)> TaxRates(PlanRequest request)
    {
        IEnumerable<(string Pointer, TaxRateId? Id)> all =
            [("/taxRateId", request.TaxRateId), .. (request.PassOffers ?? []).Select((o, i) => ($"/passOffers/{i}/taxRateId", o.TaxRateId))];
        return all.Where(t => t.Id is not null).Select(t => (t.Pointer, t.Id!.Value));
    }

    private static IEnumerable<(string Pointer, ResourceId Id)> Resources(PlanRequest request)
    {
        IEnumerable<(string List, IReadOnlyList<ResourceId> Ids)> all =
        [
            .. (request.Credits ?? []).Select((c, i) => ($"/credits/{i}", c.ResourceIds)),
            .. (request.PassOffers ?? []).Select((o, i) => ($"/passOffers/{i}", o.ResourceIds)),
        ];
        return all.SelectMany(l => l.Ids.Select((id, i) => ($"{l.List}/resourceIds/{i}", id)));
    }

    private static Plan Make(PlanId id, PlanRequest request, string? image, long version) => new(
        id,
        request.LocationId,
        request.Name,
        request.Kind,
        request.IntervalMonths,
        request.Price,
        request.TaxRateId,
        request.AccessGroups,
        request.IsDefault,
        request.IsPublic,
        version)
    {
        Credits = request.Credits ?? [],
        PassOffers = [.. (request.PassOffers ?? []).Select(o => o.ToOffer())],
        DayPasses = request.DayPasses,
        Image = image,
    };

    /// <summary>Adds what takes the flag from the plan that has it. At most two point reads, none for a plan that is not the default.</summary>
    private async Task MoveDefaultAsync(TableBatch batch, Plan plan, CancellationToken cancellation)
    {
        if (!plan.IsDefault)
        {
            return;
        }

        Stored<DefaultPlan>? holder = await store.ReadDefaultAsync(plan.LocationId, cancellation);
        if (holder?.Value.PlanId == plan.Id)
        {
            return;
        }

        CatalogueStore.Put(batch, plan.LocationId, new DefaultPlan(plan.Id), holder?.ETag);
        if (holder is not null)
        {
            Stored<Plan> former = await store.ReadPlanAsync(holder.Value.PlanId, cancellation)
                ?? throw new DefectException($"Default plan {holder.Value.PlanId} does not exist.");
            CatalogueStore.Put(batch, former.Value with { IsDefault = false, Version = former.Value.Version + 1 }, former.ETag);
        }
    }

    private async Task<Error?> RefuseReferencesAsync(PlanRequest request, CancellationToken cancellation)
    {
        if (await settings.FindLocationAsync(request.LocationId, cancellation) is not { } location)
        {
            return Error.Invalid(ErrorCodes.UnknownReference, "/locationId", "There is no such location.");
        }

        if (RefusePrices(request, location.Currency) is { } exchanged)
        {
            return exchanged;
        }

        foreach ((string pointer, TaxRateId tax) in TaxRates(request))
        {
            if (await settings.FindTaxRateAsync(tax, cancellation) is null)
            {
                return Error.Invalid(ErrorCodes.UnknownReference, pointer, "There is no such tax rate.");
            }
        }

        foreach ((string pointer, ResourceId id) in Resources(request))
        {
            if (await store.FindResourceAsync(id, cancellation) is not { } resource)
            {
                return Error.Invalid(ErrorCodes.UnknownReference, pointer, "There is no such resource.");
            }

            if (!(await settings.LocationAsync(resource.LocationId, cancellation)).Currency.Equals(location.Currency))
            {
                return Error.Invalid(ErrorCodes.CurrencyMismatch, pointer, $"The plan's prices are in {location.Currency}, this resource's are not.");
            }
        }

        return null;
    }
}
