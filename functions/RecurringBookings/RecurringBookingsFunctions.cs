using Flex.Bookings;
using Flex.Platform.Http;
using Flex.Platform.Identity;
using Flex.Platform.Limits;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace Flex.RecurringBookings;

/// <summary>HTTP surface of recurring bookings and the work on them.</summary>
public sealed class RecurringBookingsFunctions(
    CreateSeriesHandler create,
    CancelSeriesHandler cancel,
    UpdateSeriesHandler update,
    IncludeOccurrenceHandler include,
    SeriesAccountant accountant,
    SeriesReader reader)
{
    [Function("RecurringBookings_Preview"), Allow(Role.Staff, Role.Member), RateLimit(RatePolicy.Previews)]
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

    [Function("RecurringBookings_List"), Allow(Role.Staff, Role.Member)]
    [Operation("List the recurring bookings of a member", Query = typeof(SeriesFilter), Response = typeof(PageOf<SeriesView>), Errors = [ErrorCodes.NotFound])]
    public Task<IResult> List(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/recurring-bookings")] HttpRequest request, CancellationToken cancellation) =>
        request.ListAsync<SeriesFilter, SeriesView>(reader.ListAsync, cancellation);

    [Function("RecurringBookings_Occurrences"), Allow(Role.Staff, Role.Member)]
    [Operation("List the occurrences of a recurring booking", Response = typeof(PageOf<OccurrenceView>), Errors = [ErrorCodes.NotFound])]
    public Task<IResult> Occurrences(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/recurring-bookings/{id}/occurrences")] HttpRequest request,
        string id,
        CancellationToken cancellation) =>
        request.ListAsync<OccurrenceFilter, OccurrenceView>(
            (_, paging, context, ct) => reader.ListOccurrencesAsync(Handling.RouteId<SeriesId>(id), paging, context, ct), cancellation);

    [Function("RecurringBookings_Include"), Allow(Role.Staff, Role.Member)]
    [Operation("Book a day that a recurring booking has skipped", Body = typeof(IncludeOccurrenceRequest), Response = typeof(BookingView), Status = 201,
        IdempotencyKey = Need.Optional,
        Errors = [
            ErrorCodes.BookingConflict, ErrorCodes.PaymentRequired, ErrorCodes.MembershipEndsBefore, ErrorCodes.ResourceRateRequired,
            ErrorCodes.BookingPolicy, ErrorCodes.ResourceNotAllowed, ErrorCodes.BookingRequiresPass, ErrorCodes.OutOfPasses, ErrorCodes.InvalidTransition,
            ErrorCodes.InThePast, ErrorCodes.UnknownReference, ErrorCodes.NotFound, ErrorCodes.IdempotencyKeyReuse])]
    public Task<IResult> Include(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/recurring-bookings/{id}/occurrences")] HttpRequest request,
        string id,
        CancellationToken cancellation) =>
        request.HandleAsync<SeriesId, IncludeOccurrenceRequest, BookingView>(
            id, include.HandleAsync, Respond.Created<BookingView>(b => $"/api/v1/bookings/{b.Id}"), cancellation);

    [Function("RecurringBookings_Cancel"), Allow(Role.Staff, Role.Member)]
    [Operation("Cancel a recurring booking from a day on", Body = typeof(CancelSeriesRequest), Response = typeof(ChangedSeriesView), MayTakeLong = true,
        IdempotencyKey = Need.Optional,
        Errors = [ErrorCodes.InvalidTransition, ErrorCodes.NotFound, ErrorCodes.IdempotencyKeyReuse])]
    public Task<IResult> Cancel(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/recurring-bookings/{id}/cancel")] HttpRequest request,
        string id,
        CancellationToken cancellation) =>
        request.HandleAsync<SeriesId, CancelSeriesRequest, ChangedSeriesView>(id, cancel.HandleAsync, Changed, cancellation);

    [Function("RecurringBookings_Update"), Allow(Role.Staff, Role.Member)]
    [Operation("Change a recurring booking from an occurrence on", Body = typeof(UpdateSeriesRequest), Response = typeof(ChangedSeriesView), MayTakeLong = true,
        IdempotencyKey = Need.Optional,
        Errors = [
            ErrorCodes.BookingConflict, ErrorCodes.CancellationNotice, ErrorCodes.PaymentRequired, ErrorCodes.MembershipEndsBefore,
            ErrorCodes.ResourceRateRequired, ErrorCodes.BookingPolicy, ErrorCodes.ResourceNotAllowed, ErrorCodes.BookingRequiresPass,
            ErrorCodes.OutOfPasses, ErrorCodes.InvalidTransition, ErrorCodes.EndBeforeStart, ErrorCodes.InThePast, ErrorCodes.TimeOffGrid,
            ErrorCodes.UnknownReference, ErrorCodes.NotFound, ErrorCodes.IdempotencyKeyReuse])]
    public Task<IResult> Update(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/recurring-bookings/{id}/update")] HttpRequest request,
        string id,
        CancellationToken cancellation) =>
        request.HandleAsync<SeriesId, UpdateSeriesRequest, ChangedSeriesView>(id, update.HandleAsync, Changed, cancellation);

    [Function("Bookings_Account"), Allow(Role.Staff)]
    [Operation("Account an occurrence that could not be accounted", Response = typeof(BookingView), IdempotencyKey = Need.Optional,
        Errors = [
            ErrorCodes.InvalidTransition, ErrorCodes.PaymentRequired, ErrorCodes.MembershipEndsBefore, ErrorCodes.BookingRequiresPass,
            ErrorCodes.OutOfPasses, ErrorCodes.NotFound, ErrorCodes.IdempotencyKeyReuse])]
    public Task<IResult> Account(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/bookings/{id}/account")] HttpRequest request, string id, CancellationToken cancellation) =>
        request.ActAsync<BookingId, BookingView>(id, accountant.AccountAsync, cancellation);

    [Function("Operations_Get"), Allow(Role.Staff, Role.Member)]
    [Operation("Watch work on a recurring booking", Response = typeof(OperationView), Errors = [ErrorCodes.NotFound])]
    public Task<IResult> GetOperation(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/operations/{id}")] HttpRequest request, string id, CancellationToken cancellation) =>
        request.GetAsync<OperationId, OperationView>(id, reader.GetOperationAsync, cancellation);

    private static Respond<ChangedSeriesView> Changed { get; } =
        Respond.OkOrAccepted<ChangedSeriesView>(c => c.Series.OperationId is { } id ? OperationView.PathOf(id) : null);
}
