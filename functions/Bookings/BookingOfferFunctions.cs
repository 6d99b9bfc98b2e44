using Flex.Platform.Http;
using Flex.Platform.Identity;
using Flex.Platform.Limits;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace Flex.Bookings;

/// <summary>HTTP surface of what bookings cost: what is free and at what price, paying at once, settling anew.</summary>
public sealed class BookingOfferFunctions(
    AvailabilityReader availability, PreviewBookingHandler preview, PayBookingHandler pay, ReaccountHandler reaccount)
{
    /// <summary>Its route overlaps the one of a resource: the host tries functions by name, and this one comes before Resources_Get.</summary>
    [Function("Resources_Availability"), Allow(Role.Staff, Role.Member)]
    [Operation("Read when the resources of a location are open, taken and free", Query = typeof(AvailabilityQuery), Response = typeof(AvailabilityView),
        Errors = [ErrorCodes.UnknownReference, ErrorCodes.EndBeforeStart])]
    public Task<IResult> Availability(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/resources/availability")] HttpRequest request, CancellationToken cancellation) =>
        request.QueryAsync<AvailabilityQuery, AvailabilityView>(availability.ReadAsync, cancellation);

    [Function("Bookings_Preview"), Allow(Role.Staff, Role.Member), RateLimit(RatePolicy.Previews)]
    [Operation("See what a booking would cost, without making it", Body = typeof(CreateBookingRequest), Response = typeof(BookingPreviewView),
        Errors = [
            ErrorCodes.MembershipEndsBefore, ErrorCodes.ResourceRateRequired, ErrorCodes.BookingPolicy, ErrorCodes.ResourceNotAllowed,
            ErrorCodes.QuoteStale, ErrorCodes.BookingRequiresPass, ErrorCodes.OutOfPasses,
            ErrorCodes.EndBeforeStart, ErrorCodes.InThePast, ErrorCodes.TimeOffGrid, ErrorCodes.UnknownReference, ErrorCodes.NotFound])]
    public Task<IResult> Preview(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/bookings/preview")] HttpRequest request, CancellationToken cancellation) =>
        request.HandleAsync<CreateBookingRequest, BookingPreviewView>(preview.HandleAsync, cancellation);

    [Function("Bookings_Pay"), Allow(Role.Staff, Role.Member), RateLimit(RatePolicy.Payments)]
    [Operation("Pay a held booking with the payment method on file", Response = typeof(BookingView), IdempotencyKey = Need.Required,
        Errors = [
            ErrorCodes.NotFound, ErrorCodes.PaymentFailed, ErrorCodes.PaymentInProgress, ErrorCodes.GatewayNotConnected,
            ErrorCodes.PaymentMethodRequired, ErrorCodes.HoldExpired, ErrorCodes.InvalidTransition, ErrorCodes.MembershipEndsBefore,
            ErrorCodes.QuoteStale, ErrorCodes.BookingRequiresPass, ErrorCodes.OutOfPasses])]
    public Task<IResult> Pay(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/bookings/{id}/pay")] HttpRequest request, string id, CancellationToken cancellation) =>
        request.ActAsync<BookingId, BookingView>(id, pay.HandleAsync, cancellation);

    [Function("Bookings_PreviewReaccount"), Allow(Role.Staff), RateLimit(RatePolicy.Previews)]
    [Operation("See what a member's bookings would cost with the credits and passes of now", Body = typeof(ReaccountRequest),
        Response = typeof(ReaccountView), Errors = [ErrorCodes.NotFound, ErrorCodes.EndBeforeStart])]
    public Task<IResult> PreviewReaccount(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/members/{id}/bookings/reaccount/preview")] HttpRequest request,
        string id,
        CancellationToken cancellation) =>
        request.HandleAsync<MemberId, ReaccountRequest, ReaccountView>(id, reaccount.PreviewAsync, cancellation);

    [Function("Bookings_Reaccount"), Allow(Role.Staff), RateLimit(RatePolicy.Payments)]
    [Operation("Price a member's bookings anew that are not invoiced", Body = typeof(ReaccountRequest), Response = typeof(ReaccountView),
        IdempotencyKey = Need.Required, Errors = [ErrorCodes.NotFound, ErrorCodes.EndBeforeStart, ErrorCodes.IdempotencyKeyReuse])]
    public Task<IResult> Reaccount(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/members/{id}/bookings/reaccount")] HttpRequest request,
        string id,
        CancellationToken cancellation) =>
        request.HandleAsync<MemberId, ReaccountRequest, ReaccountView>(id, reaccount.HandleAsync, cancellation);
}
