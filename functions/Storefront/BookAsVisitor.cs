using Flex.Bookings;
using Flex.Catalogue;
using Flex.Invoicing;
using Flex.Members;
using Flex.Payments;
using Flex.Platform.Http;
using Flex.Platform.Identity;
using Flex.Platform.Tables;
using Flex.Wallets;
using FluentValidation;
using NodaTime;

namespace Flex.Storefront;

/// <param name="Start">RFC 3339, on the 5-minute grid of the location's clock, not in the past.</param>
/// <param name="End">Exclusive; at most 31 days after the start.</param>
public sealed record VisitorPreviewRequest(ResourceId ResourceId, Instant Start, Instant End);

/// <summary>What a visitor would pay, and whether the resource is free.</summary>
/// <param name="Price">Net.</param>
/// <param name="QuoteId">Whoever books with it pays this price or is refused as <c>quote_stale</c>.</param>
public sealed record VisitorPreviewView(
    ResourceId ResourceId,
    Instant Start,
    Instant End,
    string TimeZone,
    LocalDateTime LocalStart,
    bool Available,
    Money Price,
    IReadOnlyList<TaxAmount> Taxes,
    Money Total,
    string QuoteId,
    Instant QuoteExpiresAt);

/// <param name="FirstName">1 to 100 characters.</param>
/// <param name="LastName">1 to 100 characters.</param>
/// <param name="Email">For the receipt. It is not compared with anybody's.</param>
/// <param name="PaymentMethodId">The gateway's payment method id; it is charged at once.</param>
/// <param name="QuoteId">Of a preview: it is booked at that price or refused as <c>quote_stale</c>.</param>
public sealed record VisitorBookingRequest(
    ResourceId ResourceId,
    Instant Start,
    Instant End,
    string FirstName,
    string LastName,
    string Email,
    string PaymentMethodId,
    string? QuoteId = null);

public sealed class VisitorBookingValidator : AbstractValidator<VisitorBookingRequest>
{
    public VisitorBookingValidator()
    {
        RuleFor(r => r.FirstName).PlainText(100);
        RuleFor(r => r.LastName).PlainText(100);
        RuleFor(r => r.Email).MailAddress();
        RuleFor(r => r.PaymentMethodId).PaymentMethodId();
    }
}

/// <summary>A visitor's booking, without anything that belongs to an account.</summary>
/// <param name="State">Confirmed, or held as long as a bank or the gateway owes the outcome of the payment.</param>
/// <param name="Price">Net.</param>
/// <param name="Total">What was charged.</param>
public sealed record VisitorBookingView(
    BookingId Id,
    ResourceId ResourceId,
    string ResourceName,
    Instant Start,
    Instant End,
    string TimeZone,
    LocalDateTime LocalStart,
    BookingState State,
    Money Price,
    IReadOnlyList<TaxAmount> Taxes,
    Money Total);

/// <summary>
/// Bookings by people without an account (BKG-15): of resources for everyone, at the regular price, paid at once. The visitor becomes a
/// customer with a contact; the slot is held, paid and confirmed. Everything is named after the request's key: its repetition goes on
/// where the first was cut off and charges nobody twice.
/// </summary>
public sealed class BookAsVisitorHandler(
    VisitorStore visitors,
    CustomerStore customers,
    PaymentMethods methods,
    IPaymentGateway gateway,
    BookingWishes wishes,
    BookingQuotes quotes,
    BookingTax tax,
    BookingStore bookings,
    CreateBookingHandler create,
    BookingPayer payer,
    BookingCanceller canceller,
    CatalogueStore catalogue,
    TimeProvider time)
{
    public async Task<Reply<VisitorPreviewView>> PreviewAsync(VisitorPreviewRequest request, RequestContext context, CancellationToken cancellation)
    {
        Result<PricedWish> offered = await OfferAsync(request, context.Caller, cancellation);
        if (offered.IsError)
        {
            return offered.Error;
        }

        BookingWish wish = offered.Value.Wish;
        Instant now = time.Now();
        LocalDateTime start = wish.Location.Calendar.LocalOf(wish.Time.Start);
        Money price = offered.Value.Price.Fee;
        InvoiceTotals totals = await tax.OfAsync(price, wish.Rate.TaxRateId, wish.Location.Id, start.Date, cancellation);
        return new VisitorPreviewView(
            wish.Resource.Id,
            wish.Time.Start,
            wish.Time.End,
            wish.Location.TimeZone,
            start,
            await bookings.FindConflictAsync(wish, cancellation) is null,
            price,
            totals.Taxes,
            totals.Total,
            quotes.Issue(offered.Value, now),
            now + BookingQuotes.Validity);
    }

    public async Task<Reply<VisitorBookingView>> BookAsync(VisitorBookingRequest request, RequestContext context, CancellationToken cancellation)
    {
        RequestKey key = context.Idempotency!;
        VisitorRequest? earlier = await visitors.FindAsync(key, cancellation);
        if (earlier is not null && earlier.BodyHash != key.BodyHash)
        {
            return Error.Invalid(ErrorCodes.IdempotencyKeyReuse, string.Empty, "This Idempotency-Key was used with another body.");
        }

        if (earlier is not null && await FindAsync(request.ResourceId, key, cancellation) is { } made)
        {
            return await PayAsync(made, key, cancellation);
        }

        Result<PricedWish> offered = await OfferAsync(new VisitorPreviewRequest(request.ResourceId, request.Start, request.End), context.Caller, cancellation);
        if (offered.IsError)
        {
            return offered.Error;
        }

        if (await RefuseAsync(request, offered.Value, context.Caller, cancellation) is { } refusal)
        {
            return refusal;
        }

        Result<Booking> held = await HoldAsync(request, offered.Value, context, key, cancellation);
        return held.IsError ? held.Error : await PayAsync(held.Value, key, cancellation);
    }

    /// <summary>What is offered to anyone: the price of a resource for everyone whose bookings need nobody's approval.</summary>
    private async Task<Result<PricedWish>> OfferAsync(VisitorPreviewRequest request, Caller caller, CancellationToken cancellation)
    {
        Result<BookingWish> wish = await wishes.PrepareForAsync(Visitor.Anyone, request.ResourceId, request.Start, request.End, cancellation);
        if (wish.IsError)
        {
            return wish.Error;
        }

        BookingTerms terms = wish.Value.Resource.Terms;
        if (terms.Audience != BookingAudience.Everyone || terms.RequiresApproval)
        {
            return Error.Refused(ErrorCodes.ResourceNotAllowed, "The resource is not offered to visitors.");
        }

        Result<IReadOnlyList<PolicyOverride>> allowed = BookingRules.Allow(wish.Value, caller, overridePolicy: false, time.Now());
        return allowed.IsError ? allowed.Error : await wishes.PriceAsync(wish.Value, cancellation);
    }

    /// <summary>Whatever can be refused is refused before the visitor leaves a trace.</summary>
    private async Task<Error?> RefuseAsync(VisitorBookingRequest request, PricedWish offered, Caller caller, CancellationToken cancellation)
    {
        if (request.QuoteId is { } quote && quotes.Refuse(quote, offered, time.Now()) is { } stale)
        {
            return stale;
        }

        if (!gateway.IsConnected)
        {
            return Error.Refused(ErrorCodes.GatewayNotConnected, "No payment gateway is connected.");
        }

        return await bookings.FindConflictAsync(offered.Wish, cancellation) is { } taken ? CreateBookingHandler.Conflict(taken, caller) : null;
    }

    private async Task<Result<Booking>> HoldAsync(
        VisitorBookingRequest request, PricedWish offered, RequestContext context, RequestKey key, CancellationToken cancellation)
    {
        BookingWish wish = offered.Wish;
        Customer customer = Visitor.CustomerOf(request, key);
        Member member = Visitor.MemberOf(request, key, customer, wish.Location.Id);
        await visitors.AddAsync(key, customer, member, cancellation);

        // The key's answer is kept by the visitor's request, not by its parts.
        RequestContext part = context with { Idempotency = null };
        Stored<Customer> stored = await customers.ReadAsync(customer.Id, cancellation) ?? throw new DefectException($"{customer.Id} has vanished.");
        if (stored.Value.PaymentMethod is null)
        {
            Reply<PaymentMethodsView> attached = await methods.AttachAsync(
                stored, request.PaymentMethodId, $"attach:{customer.Id}:{key.RowKey}", part, cancellation);
            if (attached.Error is { } unusable)
            {
                return unusable;
            }
        }

        PricedWish theirs = offered with { Wish = wish with { Member = member, Terms = new MemberTerms(member, []) } };
        BookingId id = Visitor.BookingOf(key, wish.Location.Id);
        Booking wished = Booking.Wish(id, theirs.Wish, offered.Price, context.Caller.Subject, time.Now());
        var hold = new CreateBookingRequest(request.ResourceId, request.Start, request.End, member.Id, Hold: true);
        Reply<BookingView> placed = await create.PlaceAsync(hold, wished, theirs, part, cancellation);
        return await bookings.ReadAsync(id, cancellation) is { } held ? held.Value
            : placed.Error ?? throw new DefectException($"{id} was placed and does not exist.");
    }

    /// <summary>A declined payment gives the slot up at once: nobody can come back to this hold.</summary>
    private async Task<Reply<VisitorBookingView>> PayAsync(Booking booking, RequestKey key, CancellationToken cancellation)
    {
        Result<Booking> paid = await payer.PayAsync(await bookings.RequireAsync(booking.Id, cancellation), key.RowKey, cancellation);
        if (paid.IsError)
        {
            await canceller.GiveUpAsync(booking.Id, cancellation);
            return paid.Error.Code == ErrorCodes.PaymentFailed ? paid.Error with { Detail = "The payment was declined; nothing is booked." } : paid.Error;
        }

        return await ViewAsync(paid.Value, cancellation);
    }

    private async Task<Booking?> FindAsync(ResourceId resourceId, RequestKey key, CancellationToken cancellation) =>
        await catalogue.FindResourceAsync(resourceId, cancellation) is { } resource
            ? (await bookings.ReadAsync(Visitor.BookingOf(key, resource.LocationId), cancellation))?.Value
            : null;

    private async Task<VisitorBookingView> ViewAsync(Booking booking, CancellationToken cancellation)
    {
        Resource resource = await catalogue.FindResourceAsync(booking.ResourceId, cancellation)
            ?? throw new DefectException($"{booking.ResourceId} does not exist.");
        LocalDateTime start = new SiteCalendar(booking.TimeZone).LocalOf(booking.Start);
        InvoiceTotals totals = await tax.OfAsync(booking.Price.Fee, booking.Rate.TaxRateId, booking.LocationId, start.Date, cancellation);
        return new VisitorBookingView(
            booking.Id,
            booking.ResourceId,
            resource.Name,
            booking.Start,
            booking.End,
            booking.TimeZone,
            start,
            booking.StateAt(time.Now()),
            booking.Price.Fee,
            totals.Taxes,
            totals.Total);
    }
}

/// <summary>Who a visitor is. Pure; ids follow from the request's key.</summary>
internal static class Visitor
{
    /// <summary>Stands for whoever asks for a price.</summary>
    public static Member Anyone { get; } = new(
        EntityId.Derive<MemberId>("visitor"), EntityId.Derive<CustomerId>("visitor"), default, string.Empty, string.Empty, string.Empty, [], 1);

    public static BookingId BookingOf(RequestKey key, LocationId location) =>
        EntityId.Derive<BookingId>("visitor|" + key.RowKey, EntityId.Home(location));

    public static Customer CustomerOf(VisitorBookingRequest request, RequestKey key) => new(
        EntityId.Derive<CustomerId>("visitor|" + key.RowKey), $"{request.FirstName} {request.LastName}", request.Email, null, null, null, Version: 1);

    public static Member MemberOf(VisitorBookingRequest request, RequestKey key, Customer customer, LocationId location) => new(
        EntityId.Derive<MemberId>("visitor|" + key.RowKey), customer.Id, location, request.Email, request.FirstName, request.LastName, [], Version: 1);
}
