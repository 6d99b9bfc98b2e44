using Flex.Catalogue;
using Flex.Members;
using Flex.Platform.Identity;
using Flex.Settings;
using Flex.Wallets;
using NodaTime;

namespace Flex.Bookings;

/// <summary>A time of a resource that somebody wants, with everything that decides whether and for how much.</summary>
public sealed record BookingWish(Resource Resource, Location Location, Rate Rate, Member Member, MemberTerms Terms, Interval Time)
{
    public RatedTime Rated => RatedTime.Of(Resource, Rate, Location, Time);

    public bool HasPaidMembership => MemberStanding.HasPaid(Member);
}

/// <summary>A wish with its price, and the wallet that was read for it; null when the wallet cannot matter.</summary>
public sealed record PricedWish(BookingWish Wish, BookingPrice Price, StoredWallet? Wallet);

/// <summary>Loads what a wish names, and prices it. One storage call for the member and, where the wallet can matter, one for that.</summary>
public sealed class BookingWishes(
    CatalogueStore catalogue, SettingsStore settings, MemberStore members, WalletReader wallets)
{
    /// <param name="memberId">Null: the caller.</param>
    public async Task<Result<BookingWish>> PrepareAsync(
        ResourceId resourceId, Instant start, Instant end, MemberId? memberId, Caller caller, CancellationToken cancellation)
    {
        if ((memberId ?? caller.MemberId) is not { } who)
        {
            return Error.Invalid(ErrorCodes.InvalidValue, "/memberId", "Say for whom the booking is.");
        }

        if (caller.Refuses(who, "The member") is { } hidden)
        {
            return hidden;
        }

        Result<BookedPlace> place = await FindAsync(resourceId, start, end, caller.IsStaff, cancellation);
        if (place.IsError)
        {
            return place.Error;
        }

        return await members.FindAsync(who, cancellation) is { } member
            ? place.Value.WishOf(member, await wallets.TermsAsync(member, cancellation))
            : Error.Invalid(ErrorCodes.UnknownReference, "/memberId", "There is no such member.");
    }

    /// <summary>As <see cref="PrepareAsync"/>, for somebody who is no member yet and so has no membership and no wallet. No storage call.</summary>
    public async Task<Result<BookingWish>> PrepareForAsync(
        Member visitor, ResourceId resourceId, Instant start, Instant end, CancellationToken cancellation)
    {
        Result<BookedPlace> place = await FindAsync(resourceId, start, end, seesAll: false, cancellation);
        return place.IsError ? place.Error : place.Value.WishOf(visitor, new MemberTerms(visitor, []));
    }

    /// <summary>What a stored booking was made of, as things are now.</summary>
    public Task<BookingWish> OfAsync(Booking booking, CancellationToken cancellation) =>
        OfAsync(booking, booking.ResourceId, booking.Rate, new Interval(booking.Start, booking.End), cancellation);

    /// <summary>What the change is made of that the booking is in the middle of.</summary>
    public Task<BookingWish> OfAsync(Booking booking, BookingChange change, CancellationToken cancellation) =>
        OfAsync(booking, change.ResourceId, change.Rate, new Interval(change.Start, change.End), cancellation);

    /// <summary>As before, of several bookings of one member. One storage call with warm caches.</summary>
    public async Task<IReadOnlyList<BookingWish>> OfAsync(IReadOnlyList<Booking> bookings, CancellationToken cancellation) => await OfAsync(
        await members.FindAsync(bookings[0].MemberId, cancellation) ?? throw new DefectException($"{bookings[0].MemberId} does not exist."),
        bookings,
        cancellation);

    /// <summary>What bookings of one member were made of, as things are now. No storage call with warm caches.</summary>
    public async Task<IReadOnlyList<BookingWish>> OfAsync(Member member, IEnumerable<Booking> bookings, CancellationToken cancellation)
    {
        MemberTerms terms = await wallets.TermsAsync(member, cancellation);
        var found = new List<BookingWish>();
        foreach (Booking booking in bookings)
        {
            found.Add(await OfAsync(booking.ResourceId, booking.Rate, new Interval(booking.Start, booking.End), booking.LocationId, terms, cancellation));
        }

        return found;
    }

    private async Task<BookingWish> OfAsync(
        Booking booking, ResourceId resourceId, FrozenRate frozen, Interval time, CancellationToken cancellation)
    {
        Member member = await members.FindAsync(booking.MemberId, cancellation)
            ?? throw new DefectException($"{booking.MemberId} does not exist.");
        return await OfAsync(resourceId, frozen, time, booking.LocationId, await wallets.TermsAsync(member, cancellation), cancellation);
    }

    private async Task<BookingWish> OfAsync(
        ResourceId resourceId, FrozenRate frozen, Interval time, LocationId locationId, MemberTerms terms, CancellationToken cancellation)
    {
        Resource resource = await ResourceAsync(resourceId, cancellation);
        Rate rate = await catalogue.FindRateAsync(frozen.RateId, cancellation) ?? throw new DefectException($"{frozen.RateId} does not exist.");
        return new BookingWish(resource, await settings.LocationAsync(locationId, cancellation), rate, terms.Member, terms, time);
    }

    /// <summary>A resource that something stored refers to. No storage call but the first.</summary>
    public async Task<Resource> ResourceAsync(ResourceId id, CancellationToken cancellation) =>
        await catalogue.FindResourceAsync(id, cancellation) ?? throw new DefectException($"{id} does not exist.");

    /// <summary>What prices at a location are in. No storage call.</summary>
    public async Task<Currency> CurrencyAsync(LocationId id, CancellationToken cancellation) => (await settings.LocationAsync(id, cancellation)).Currency;

    /// <summary>What it costs the member now; nothing is taken. <c>booking_requires_pass</c>, <c>out_of_passes</c>.</summary>
    public Task<Result<PricedWish>> PriceAsync(BookingWish wish, CancellationToken cancellation) => PriceAsync(wish, [], cancellation);

    /// <summary>As before, once certain takings have gone back.</summary>
    public async Task<Result<PricedWish>> PriceAsync(BookingWish wish, IReadOnlyList<Taking> returned, CancellationToken cancellation)
    {
        if (wish.Rate.IsFree || !wish.Terms.MayDraw(wish.Resource, wish.Time.Start))
        {
            return new PricedWish(wish, BookingPrice.Plain(RateRules.PriceOf(wish.Rated)), null);
        }

        StoredWallet wallet = await wallets.ReadAsync(wish.Member.Id, cancellation);
        bool passes = (await settings.GetOperatorAsync(cancellation)).BookingPassesEnabled;
        Result<BookingPrice> price = PriceResolution.Resolve(
            wish.Rated, wallet.Wallet.Return(returned).AllowanceFor(wish.Terms, wish.Resource.Id, wish.Time.Start, passes));
        return price.IsError ? price.Error : new PricedWish(wish, price.Value, wallet);
    }

    private async Task<Result<BookedPlace>> FindAsync(
        ResourceId resourceId, Instant start, Instant end, bool seesAll, CancellationToken cancellation)
    {
        if (await catalogue.FindResourceAsync(resourceId, cancellation) is not { } resource || !(resource.IsPublished || seesAll))
        {
            return Error.Invalid(ErrorCodes.UnknownReference, "/resourceId", "There is no such resource.");
        }

        Location location = await settings.LocationAsync(resource.LocationId, cancellation);
        if (BookingRules.RefuseInterval(start, end, location.Calendar) is { } refusal)
        {
            return refusal;
        }

        return await RateAsync(resource, location, cancellation) is { } rate
            ? new BookedPlace(resource, location, rate, new Interval(start, end))
            : Error.Refused(ErrorCodes.ResourceRateRequired, "The resource has no rate that applies at its location.");
    }

    private async Task<Rate?> RateAsync(Resource resource, Location location, CancellationToken cancellation) =>
        resource.RateId is { } id && await catalogue.FindRateAsync(id, cancellation) is { } rate && RateRules.AppliesAt(rate, location) ? rate : null;

    private sealed record BookedPlace(Resource Resource, Location Location, Rate Rate, Interval Time)
    {
        public BookingWish WishOf(Member member, MemberTerms terms) => new(Resource, Location, Rate, member, terms, Time);
    }
}
