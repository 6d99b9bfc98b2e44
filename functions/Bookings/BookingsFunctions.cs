using Flex.Platform.Http;
using Flex.Platform.Identity;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace Flex.Bookings;

/// <summary>HTTP surface of bookings.</summary>
public sealed class BookingsFunctions(CreateBookingHandler create, BookingReader reader)
{
    [Function("Bookings_Create"), Allow(Role.Staff, Role.Member)]
    [Operation("Book a resource", Body = typeof(CreateBookingRequest), Response = typeof(BookingView), Status = 201, IdempotencyKey = Need.Optional,
        Errors = [
            ErrorCodes.BookingConflict, ErrorCodes.PaymentRequired, ErrorCodes.MembershipEndsBefore, ErrorCodes.ResourceRateRequired,
            ErrorCodes.BookingPolicy, ErrorCodes.ResourceNotAllowed, ErrorCodes.QuoteStale, ErrorCodes.HoldExpired,
            ErrorCodes.BookingRequiresPass, ErrorCodes.OutOfPasses,
            ErrorCodes.EndBeforeStart, ErrorCodes.InThePast, ErrorCodes.TimeOffGrid, ErrorCodes.UnknownReference, ErrorCodes.NotFound,
            ErrorCodes.IdempotencyKeyReuse])]
    public Task<IResult> Create(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/bookings")] HttpRequest request, CancellationToken cancellation) =>
        request.HandleAsync<CreateBookingRequest, BookingView>(
            create.HandleAsync, Respond.Created<BookingView>(b => $"/api/v1/bookings/{b.Id}"), cancellation);

    [Function("Bookings_List"), Allow(Role.Staff, Role.Member)]
    [Operation("List the bookings of a member or a resource", Query = typeof(BookingFilter), Response = typeof(PageOf<BookingView>),
        Errors = [ErrorCodes.NotFound, ErrorCodes.EndBeforeStart])]
    public Task<IResult> List(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/bookings")] HttpRequest request, CancellationToken cancellation) =>
        request.ListAsync<BookingFilter, BookingView>(reader.ListAsync, cancellation);

    [Function("Bookings_Get"), Allow(Role.Staff, Role.Member)]
    [Operation("Read a booking", Response = typeof(BookingView), Errors = [ErrorCodes.NotFound])]
    public Task<IResult> Get(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/bookings/{id}")] HttpRequest request, string id, CancellationToken cancellation) =>
        request.GetAsync<BookingId, BookingView>(id, reader.GetAsync, cancellation);
}
