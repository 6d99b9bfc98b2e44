using Flex.Platform.Http;
using Flex.Platform.Identity;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace Flex.RecurringBookings;

/// <summary>HTTP surface of recurring bookings and the work on them.</summary>
public sealed class RecurringBookingsFunctions(CreateSeriesHandler create, SeriesReader reader)
{
    [Function("RecurringBookings_Preview"), Allow(Role.Staff, Role.Member)]
    [Operation("See what a recurring booking costs and which of its days can be booked", Body = typeof(SeriesRequest), Response = typeof(SeriesPreview),
        Errors = [
            ErrorCodes.ResourceRateRequired, ErrorCodes.BookingPolicy, ErrorCodes.EndBeforeStart, ErrorCodes.TimeOffGrid,
            ErrorCodes.UnknownReference, ErrorCodes.NotFound])]
    public Task<IResult> Preview(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/recurring-bookings/preview")] HttpRequest request, CancellationToken cancellation) =>
        request.HandleAsync<SeriesRequest, SeriesPreview>(create.PreviewAsync, cancellation);

    [Function("RecurringBookings_Create"), Allow(Role.Staff, Role.Member)]
    [Operation("Book a resource again and again", Body = typeof(SeriesRequest), Response = typeof(BookedSeriesView), Status = 201, MayTakeLong = true,
        IdempotencyKey = Need.Optional,
        Errors = [
            ErrorCodes.BookingConflict, ErrorCodes.PaymentRequired, ErrorCodes.MembershipEndsBefore, ErrorCodes.ResourceRateRequired,
            ErrorCodes.BookingPolicy, ErrorCodes.ResourceNotAllowed, ErrorCodes.BookingRequiresPass, ErrorCodes.OutOfPasses, ErrorCodes.InvalidTransition,
            ErrorCodes.EndBeforeStart, ErrorCodes.InThePast, ErrorCodes.TimeOffGrid, ErrorCodes.UnknownReference, ErrorCodes.NotFound,
            ErrorCodes.IdempotencyKeyReuse])]
    public Task<IResult> Create(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/recurring-bookings")] HttpRequest request, CancellationToken cancellation) =>
        request.HandleAsync<SeriesRequest, BookedSeriesView>(
            create.HandleAsync,
            Respond.CreatedOrAccepted<BookedSeriesView>(
                s => $"/api/v1/recurring-bookings/{s.Id}", s => s.Series.OperationId is { } id ? OperationView.PathOf(id) : null),
            cancellation);

    [Function("RecurringBookings_Get"), Allow(Role.Staff, Role.Member)]
    [Operation("Read a recurring booking", Response = typeof(SeriesView), Errors = [ErrorCodes.NotFound])]
    public Task<IResult> Get(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/recurring-bookings/{id}")] HttpRequest request, string id, CancellationToken cancellation) =>
        request.GetAsync<SeriesId, SeriesView>(id, reader.GetAsync, cancellation);

    [Function("RecurringBookings_Summary"), Allow(Role.Staff, Role.Member)]
    [Operation("Read what the occurrences of a recurring booking cost", Response = typeof(SeriesSummary), Errors = [ErrorCodes.NotFound])]
    public Task<IResult> Summary(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/recurring-bookings/{id}/summary")] HttpRequest request,
        string id,
        CancellationToken cancellation) =>
        request.GetAsync<SeriesId, SeriesSummary>(id, reader.SummariseAsync, cancellation);

    [Function("Operations_Get"), Allow(Role.Staff, Role.Member)]
    [Operation("Watch work on a recurring booking", Response = typeof(OperationView), Errors = [ErrorCodes.NotFound])]
    public Task<IResult> GetOperation(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/operations/{id}")] HttpRequest request, string id, CancellationToken cancellation) =>
        request.GetAsync<OperationId, OperationView>(id, reader.GetOperationAsync, cancellation);
}
