using Flex.Platform.Http;
using Flex.Platform.Identity;
using Flex.Platform.Limits;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace Flex.Storefront;

/// <summary>HTTP surface for visitors.</summary>
public sealed class StorefrontFunctions(BookAsVisitorHandler visitor)
{
    [Function("Storefront_Preview"), AllowAnyone("It tells what the storefront shows: prices and free times of resources for everyone.")]
    [RateLimit(RatePolicy.Previews)]
    [Operation("See what a booking would cost a visitor", Body = typeof(VisitorPreviewRequest), Response = typeof(VisitorPreviewView),
        Errors = [
            ErrorCodes.ResourceRateRequired, ErrorCodes.BookingPolicy, ErrorCodes.ResourceNotAllowed,
            ErrorCodes.EndBeforeStart, ErrorCodes.InThePast, ErrorCodes.TimeOffGrid, ErrorCodes.UnknownReference])]
    public Task<IResult> Preview(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/storefront/preview")] HttpRequest request, CancellationToken cancellation) =>
        request.HandleAsync<VisitorPreviewRequest, VisitorPreviewView>(visitor.PreviewAsync, cancellation);

    [Function("Storefront_Book"), AllowAnyone("It is paid at once, so a slot costs whoever takes it; it reaches no existing account.")]
    [RateLimit(RatePolicy.Storefront)]
    [Operation("Book a resource as a visitor and pay now", Body = typeof(VisitorBookingRequest), Response = typeof(VisitorBookingView), Status = 201,
        IdempotencyKey = Need.Required,
        Errors = [
            ErrorCodes.PaymentFailed, ErrorCodes.BookingConflict, ErrorCodes.GatewayNotConnected, ErrorCodes.HoldExpired,
            ErrorCodes.PaymentInProgress, ErrorCodes.QuoteStale, ErrorCodes.ResourceRateRequired, ErrorCodes.BookingPolicy,
            ErrorCodes.ResourceNotAllowed, ErrorCodes.EndBeforeStart, ErrorCodes.InThePast, ErrorCodes.TimeOffGrid,
            ErrorCodes.UnknownReference, ErrorCodes.IdempotencyKeyReuse, ErrorCodes.PaymentMethodRequired, ErrorCodes.InvalidTransition])]
    public Task<IResult> Book(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/storefront/bookings")] HttpRequest request, CancellationToken cancellation) =>
        request.HandleAsync<VisitorBookingRequest, VisitorBookingView>(
            visitor.BookAsync, Respond.Created<VisitorBookingView>(b => $"/api/v1/bookings/{b.Id}"), cancellation);
}
