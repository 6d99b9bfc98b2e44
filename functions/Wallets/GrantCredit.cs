using Flex.Catalogue;
using Flex.Members;
using Flex.Platform.Http;
using Flex.Settings;
using FluentValidation;
using NodaTime;

namespace Flex.Wallets;

/// <summary>Credit beside the plan, e.g. one that was promised and forgotten.</summary>
/// <param name="Name">1 to 50 characters, for people.</param>
/// <param name="ResourceIds">1 to 100 resources of one location.</param>
/// <param name="Minutes">1 to 525,600; null for an amount.</param>
/// <param name="Amount">Net, in the location's currency; null for minutes.</param>
/// <param name="PricePerHour">What an hour costs when the minutes are used up; null: the regular price.</param>
/// <param name="From">First day of the bookings it is for, on the location's clock; may be in the past.</param>
/// <param name="Until">Last one; null is open.</param>
public sealed record GrantCreditRequest(
    string Name,
    IReadOnlyList<ResourceId> ResourceIds,
    int? Minutes,
    Money? Amount,
    Money? PricePerHour,
    LocalDate From,
    LocalDate? Until);

public sealed class GrantCreditValidator : AbstractValidator<GrantCreditRequest>
{
    private const int MaxResources = 100;

    public GrantCreditValidator()
    {
        RuleFor(r => r.Name).PlainText(50);
        RuleFor(r => r.ResourceIds).Must(ids => ids.Count is > 0 and <= MaxResources && ids.Distinct().Count() == ids.Count)
            .WithMessage($"1 to {MaxResources} resources, each once.");
        RuleFor(r => r.Minutes).Must((r, minutes) => minutes is null != r.Amount is null).WithMessage("A credit is either minutes or an amount.");
        RuleFor(r => r.Minutes).InclusiveBetween(1, 525_600);
        RuleFor(r => r.Amount).Must(a => a is null or { IsPositive: true }).WithMessage("Must be more than nothing.");
        RuleFor(r => r.PricePerHour).NotNegative();
        RuleFor(r => r.PricePerHour).Null().When(r => r.Minutes is null).WithMessage("Only minutes have a price per hour after them.");
    }
}

/// <summary>Staff give credit beside the plan (CRD-7) and withdraw what is left of it.</summary>
public sealed class GrantCreditHandler(
    WalletChanges changes, MemberStore members, CatalogueStore catalogue, SettingsStore settings, IIdSource ids, TimeProvider time)
{
    public async Task<Reply<GrantView>> GrantAsync(MemberId id, GrantCreditRequest request, RequestContext context, CancellationToken cancellation)
    {
        if (await members.FindAsync(id, cancellation) is null)
        {
            return Error.NotFound("The member");
        }

        Result<Location> location = await PlaceOfAsync(request, cancellation);
        if (location.IsError)
        {
            return location.Error;
        }

        await changes.OpenAsync(id, cancellation);
        var grant = new CreditGrant(
            EntityId.New<CreditGrantId>(ids),
            request.Name,
            request.ResourceIds,
            request.Minutes,
            request.Amount,
            request.PricePerHour,
            location.Value.TimeZone,
            request.From,
            request.Until,
            0,
            null,
            null,
            time.Now(),
            null);
        return await changes.ChangeAsync<GrantView>(
            id,
            context,
            wallet => PassRules.RefuseMore(wallet, grant.ResourceIds.Count, 1) is { } full
                ? full
                : new WalletChange<GrantView>(wallet with { Grants = [.. wallet.Grants, grant] }, GrantView.Of(grant)),
            cancellation);
    }

    /// <summary>Nothing is left of the grant from then on; what bookings have used stays used. Repeats change nothing.</summary>
    public Task<Reply<GrantView>> WithdrawAsync(MemberId id, CreditGrantId grant, RequestContext context, CancellationToken cancellation) =>
        changes.ChangeAsync<GrantView>(id, context, wallet => Withdraw(wallet, grant, time.Now()), cancellation);

    private static Result<WalletChange<GrantView>> Withdraw(Wallet wallet, CreditGrantId id, Instant now)
    {
        if (wallet.Grants.FirstOrDefault(g => g.Id == id) is not { } grant)
        {
            return Error.NotFound("The credit");
        }

        CreditGrant withdrawn = grant with { WithdrawnAt = grant.WithdrawnAt ?? now };
        return new WalletChange<GrantView>(wallet.Change(withdrawn), GrantView.Of(withdrawn));
    }

    /// <summary>The one location of the resources, in whose currency amounts are and on whose calendar days are.</summary>
    private async Task<Result<Location>> PlaceOfAsync(GrantCreditRequest request, CancellationToken cancellation)
    {
        if (request.Until < request.From)
        {
            return Error.Invalid(ErrorCodes.EndBeforeStart, "/until", "The last day is before the first.");
        }

        var places = new HashSet<LocationId>();
        foreach (ResourceId id in request.ResourceIds)
        {
            if (await catalogue.FindResourceAsync(id, cancellation) is not { } resource)
            {
                return Error.Invalid(ErrorCodes.UnknownReference, "/resourceIds", $"There is no resource {id}.");
            }

            places.Add(resource.LocationId);
        }

        if (places.Count > 1)
        {
            return Error.Invalid(ErrorCodes.InvalidValue, "/resourceIds", "The resources must be at one location.");
        }

        Location location = await settings.LocationAsync(places.Single(), cancellation);
        return new[] { request.Amount, request.PricePerHour }.Any(m => m is { } money && !money.Currency.Equals(location.Currency))
            ? Error.Invalid(
                ErrorCodes.CurrencyMismatch, request.Amount is null ? "/pricePerHour" : "/amount", $"Prices at the location are in {location.Currency}.")
            : location;
    }
}
