using Flex.Platform.Http;
using Flex.Platform.Identity;
using Flex.Platform.Limits;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace Flex.Bookings;

/// <summary>HTTP surface of what happens to a booking after it was made.</summary>
public sealed class BookingLifeFunctions(
    ChangeBookingHandler change, CancelBookingHandler cancel, BulkCancelHandler bulk, ApproveBookingHandler approve, CheckInBookingHandler checkIn)
{
    [Function("Bookings_PreviewChange"), Allow(Role.Staff, Role.Member), RateLimit(RatePolicy.Previews)]
    [Operation("See what moving a booking costs", Body = typeof(ChangeBookingRequest), Response = typeof(ChangePreview),
        Errors = [
            ErrorCodes.InvalidTransition, ErrorCodes.CancellationNotice, ErrorCodes.BookingConflict, ErrorCodes.PaymentRequired,
            ErrorCodes.MembershipEndsBefore, ErrorCodes.ResourceRateRequired, ErrorCodes.BookingPolicy, ErrorCodes.ResourceNotAllowed,
            ErrorCodes.QuoteStale, ErrorCodes.BookingRequiresPass, ErrorCodes.OutOfPasses,
            ErrorCodes.EndBeforeStart, ErrorCodes.InThePast, ErrorCodes.TimeOffGrid, ErrorCodes.UnknownReference, ErrorCodes.NotFound])]
    public Task<IResult> PreviewChange(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/bookings/{id}/change/preview")] HttpRequest request,
        string id,
        CancellationToken cancellation) =>
        request.HandleAsync<BookingId, ChangeBookingRequest, ChangePreview>(id, change.PreviewAsync, cancellation);

    [Function("Bookings_Change"), Allow(Role.Staff, Role.Member)]
    [Operation("Move a booking to another time or resource", Body = typeof(ChangeBookingRequest), Response = typeof(BookingChangeView),
        IdempotencyKey = Need.Optional, IfMatch = Need.Optional,
        Errors = [
            ErrorCodes.InvalidTransition, ErrorCodes.CancellationNotice, ErrorCodes.BookingConflict, ErrorCodes.PaymentRequired,
            ErrorCodes.MembershipEndsBefore, ErrorCodes.ResourceRateRequired, ErrorCodes.BookingPolicy, ErrorCodes.ResourceNotAllowed,
            ErrorCodes.QuoteStale, ErrorCodes.BookingRequiresPass, ErrorCodes.OutOfPasses,
            ErrorCodes.EndBeforeStart, ErrorCodes.InThePast, ErrorCodes.TimeOffGrid, ErrorCodes.UnknownReference, ErrorCodes.NotFound,
            ErrorCodes.IdempotencyKeyReuse, ErrorCodes.Stale])]
    public Task<IResult> Change(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/bookings/{id}/change")] HttpRequest request,
        string id,
        CancellationToken cancellation) =>
        request.HandleAsync<BookingId, ChangeBookingRequest, BookingChangeView>(id, change.HandleAsync, cancellation);

    [Function("Bookings_Cancel"), Allow(Role.Staff, Role.Member)]
    [Operation("Cancel a booking", Body = typeof(CancelBookingRequest), Response = typeof(BookingView),
        IdempotencyKey = Need.Optional, IfMatch = Need.Optional,
        Errors = [
            ErrorCodes.InvalidTransition, ErrorCodes.CancellationNotice, ErrorCodes.PaymentInProgress, ErrorCodes.NotFound,
            ErrorCodes.IdempotencyKeyReuse, ErrorCodes.Stale])]
    public Task<IResult> Cancel(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/bookings/{id}/cancel")] HttpRequest request,
        string id,
        CancellationToken cancellation) =>
        request.HandleAsync<BookingId, CancelBookingRequest, BookingView>(id, cancel.HandleAsync, cancellation);

    [Function("Bookings_Approve"), Allow(Role.Staff)]
    [Operation("Approve a tentative booking", Response = typeof(BookingView), IdempotencyKey = Need.Optional, IfMatch = Need.Optional,
        Errors = [
            ErrorCodes.InvalidTransition, ErrorCodes.BookingConflict, ErrorCodes.PaymentRequired, ErrorCodes.MembershipEndsBefore,
            ErrorCodes.BookingRequiresPass, ErrorCodes.OutOfPasses, ErrorCodes.NotFound, ErrorCodes.IdempotencyKeyReuse, ErrorCodes.Stale])]
    public Task<IResult> Approve(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/bookings/{id}/approve")] HttpRequest request,
        string id,
        CancellationToken cancellation) =>
        request.ActAsync<BookingId, BookingView>(id, approve.ApproveAsync, cancellation);

    [Function("Bookings_Reject"), Allow(Role.Staff)]
    [Operation("Reject a tentative booking", Response = typeof(BookingView), IdempotencyKey = Need.Optional, IfMatch = Need.Optional,
        Errors = [ErrorCodes.InvalidTransition, ErrorCodes.NotFound, ErrorCodes.IdempotencyKeyReuse, ErrorCodes.Stale])]
    public Task<IResult> Reject(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/bookings/{id}/reject")] HttpRequest request,
        string id,
        CancellationToken cancellation) =>
        request.ActAsync<BookingId, BookingView>(id, approve.RejectAsync, cancellation);

    [Function("Bookings_CheckIn"), Allow(Role.Staff, Role.Member)]
    [Operation("Check in to a booking", Response = typeof(BookingView), IdempotencyKey = Need.Optional, IfMatch = Need.Optional,
        Errors = [ErrorCodes.InvalidTransition, ErrorCodes.NotFound, ErrorCodes.IdempotencyKeyReuse, ErrorCodes.Stale])]
    public Task<IResult> CheckIn(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/bookings/{id}/check-in")] HttpRequest request,
        string id,
        CancellationToken cancellation) =>
        request.ActAsync<BookingId, BookingView>(id, checkIn.HandleAsync, cancellation);

    [Function("Bookings_PreviewBulkCancel"), Allow(Role.Staff), RateLimit(RatePolicy.Previews)]
    [Operation("See what cancelling many bookings returns", Body = typeof(BulkCancelRequest), Response = typeof(BulkCancelView),
        Errors = [ErrorCodes.UnknownReference])]
    public Task<IResult> PreviewBulkCancel(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/bookings/bulk-cancel/preview")] HttpRequest request,
        CancellationToken cancellation) => request.HandleAsync<BulkCancelRequest, BulkCancelView>(bulk.PreviewAsync, cancellation);

    [Function("Bookings_BulkCancel"), Allow(Role.Staff)]
    [Operation("Cancel many bookings", Body = typeof(BulkCancelRequest), Response = typeof(BulkCancelView), Errors = [ErrorCodes.UnknownReference])]
    public Task<IResult> BulkCancel(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/bookings/bulk-cancel")] HttpRequest request,
        CancellationToken cancellation) => request.HandleAsync<BulkCancelRequest, BulkCancelView>(bulk.CancelAsync, cancellation);
}
