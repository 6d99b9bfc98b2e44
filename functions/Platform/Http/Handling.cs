using Microsoft.AspNetCore.Http;

namespace Flex.Platform.Http;

/// <summary>
/// What trigger methods call, one line each: read the request strictly, call the handler, answer. Needs of the operation
/// (Idempotency-Key, If-Match) come from its <see cref="OperationAttribute"/>.
/// </summary>
public static class Handling
{
    /// <summary>A JSON body in, 200 with the view out.</summary>
    public static Task<IResult> HandleAsync<TBody, TView>(
        this HttpRequest request, Func<TBody, RequestContext, CancellationToken, Task<Reply<TView>>> handler, CancellationToken cancellation) =>
        request.HandleAsync(handler, Respond.Ok<TView>(), cancellation);

    /// <summary>A JSON body in, answered as <paramref name="respond"/> says.</summary>
    public static Task<IResult> HandleAsync<TBody, TView>(
        this HttpRequest request,
        Func<TBody, RequestContext, CancellationToken, Task<Reply<TView>>> handler,
        Respond<TView> respond,
        CancellationToken cancellation) =>
        RunAsync(
            request,
            respond,
            async (bytes, context) => await handler(await RequestBody.ParseAsync<TBody>(request, bytes, cancellation), context, cancellation),
            cancellation);

    /// <summary>The thing in the route and a JSON body in, 200 with the view out.</summary>
    public static Task<IResult> HandleAsync<TId, TBody, TView>(
        this HttpRequest request,
        string id,
        Func<TId, TBody, RequestContext, CancellationToken, Task<Reply<TView>>> handler,
        CancellationToken cancellation)
        where TId : struct, IEntityId<TId> =>
        request.HandleAsync(id, handler, Respond.Ok<TView>(), cancellation);

    /// <summary>The thing in the route and a JSON body in, answered as <paramref name="respond"/> says.</summary>
    public static Task<IResult> HandleAsync<TId, TBody, TView>(
        this HttpRequest request,
        string id,
        Func<TId, TBody, RequestContext, CancellationToken, Task<Reply<TView>>> handler,
        Respond<TView> respond,
        CancellationToken cancellation)
        where TId : struct, IEntityId<TId> =>
        RunAsync(
            request,
            respond,
            async (bytes, context) => await handler(
                RouteId<TId>(id), await RequestBody.ParseAsync<TBody>(request, bytes, cancellation), context, cancellation),
            cancellation);

    /// <summary>An action on the thing in the route, without a body; 200 with the view out.</summary>
    public static Task<IResult> ActAsync<TId, TView>(
        this HttpRequest request,
        string id,
        Func<TId, RequestContext, CancellationToken, Task<Reply<TView>>> handler,
        CancellationToken cancellation)
        where TId : struct, IEntityId<TId> =>
        request.ActAsync(id, handler, Respond.Ok<TView>(), cancellation);

    /// <summary>An action on the thing in the route, without a body, answered as <paramref name="respond"/> says.</summary>
    public static Task<IResult> ActAsync<TId, TView>(
        this HttpRequest request,
        string id,
        Func<TId, RequestContext, CancellationToken, Task<Reply<TView>>> handler,
        Respond<TView> respond,
        CancellationToken cancellation)
        where TId : struct, IEntityId<TId> =>
        request.ActAsync((context, ct) => handler(RouteId<TId>(id), context, ct), respond, cancellation);

    /// <summary>An action without a body, answered as <paramref name="respond"/> says.</summary>
    public static Task<IResult> ActAsync<TView>(
        this HttpRequest request,
        Func<RequestContext, CancellationToken, Task<Reply<TView>>> handler,
        Respond<TView> respond,
        CancellationToken cancellation) =>
        RunAsync(
            request,
            respond,
            (bytes, context) =>
            {
                RequestBody.RequireNone(bytes);
                return handler(context, cancellation);
            },
            cancellation);

    /// <summary>The thing in the route and a file of at most <see cref="RequestBody.MaxFileBytes"/> in, 200 with the view out.</summary>
    public static Task<IResult> UploadAsync<TId, TView>(
        this HttpRequest request,
        string id,
        Func<TId, FileBody, RequestContext, CancellationToken, Task<Reply<TView>>> handler,
        CancellationToken cancellation)
        where TId : struct, IEntityId<TId> =>
        RunAsync(
            request,
            Respond.Ok<TView>(),
            (bytes, context) => handler(RouteId<TId>(id), new FileBody(request.ContentType, bytes), context, cancellation),
            cancellation,
            maxBytes: RequestBody.MaxFileBytes);

    /// <summary>A file of the thing in the route.</summary>
    public static Task<IResult> DownloadAsync<TId>(
        this HttpRequest request,
        string id,
        Func<TId, RequestContext, CancellationToken, Task<Reply<FileAnswer>>> handler,
        CancellationToken cancellation)
        where TId : struct, IEntityId<TId> =>
        request.DownloadAsync((context, ct) => handler(RouteId<TId>(id), context, ct), cancellation);

    /// <summary>A file.</summary>
    public static Task<IResult> DownloadAsync(
        this HttpRequest request, Func<RequestContext, CancellationToken, Task<Reply<FileAnswer>>> handler, CancellationToken cancellation) =>
        RunAsync(
            request,
            Respond.Ok<FileAnswer>(),
            (_, context) => handler(context, cancellation),
            cancellation,
            render: file => new FileResult(file));

    /// <summary>The view of the one thing of its kind.</summary>
    public static Task<IResult> GetAsync<TView>(
        this HttpRequest request, Func<RequestContext, CancellationToken, Task<Reply<TView>>> handler, CancellationToken cancellation) =>
        RunAsync(request, Respond.Ok<TView>(), (_, context) => handler(context, cancellation), cancellation);

    /// <summary>The view of the thing in the route.</summary>
    public static Task<IResult> GetAsync<TId, TView>(
        this HttpRequest request,
        string id,
        Func<TId, RequestContext, CancellationToken, Task<Reply<TView>>> handler,
        CancellationToken cancellation)
        where TId : struct, IEntityId<TId> =>
        request.GetAsync((context, ct) => handler(RouteId<TId>(id), context, ct), cancellation);

    /// <summary>A view chosen by query parameters.</summary>
    public static Task<IResult> QueryAsync<TQuery, TView>(
        this HttpRequest request, Func<TQuery, RequestContext, CancellationToken, Task<Reply<TView>>> handler, CancellationToken cancellation) =>
        RunAsync(
            request,
            Respond.Ok<TView>(),
            (_, context) => handler(RequestQuery.Parse<TQuery>(request), context, cancellation),
            cancellation,
            hasQuery: true);

    /// <summary>A page of a list: <c>limit</c>, <c>cursor</c> and the filters of <typeparamref name="TQuery"/>.</summary>
    public static Task<IResult> ListAsync<TQuery, TItem>(
        this HttpRequest request,
        Func<TQuery, Paging, RequestContext, CancellationToken, Task<Reply<PageOf<TItem>>>> handler,
        CancellationToken cancellation) =>
        RunAsync(
            request,
            Respond.Ok<PageOf<TItem>>(),
            (_, context) => handler(
                RequestQuery.Parse<TQuery>(request, RequestQuery.LimitParameter, RequestQuery.CursorParameter),
                RequestQuery.ParsePaging(request),
                context,
                cancellation),
            cancellation,
            hasQuery: true);

    /// <summary>The id in a route; text of another form is 404, as is an id of nothing.</summary>
    /// <exception cref="RefusalException">The text is not an id of this kind. Call it inside a handler lambda.</exception>
    public static TId RouteId<TId>(string text)
        where TId : struct, IEntityId<TId> =>
        EntityId.TryParse(text, out TId id) ? id : throw new RefusalException(Error.NotFound("This resource"));

    private static async Task<IResult> RunAsync<TView>(
        HttpRequest request,
        Respond<TView> respond,
        Func<byte[], RequestContext, Task<Reply<TView>>> run,
        CancellationToken cancellation,
        bool hasQuery = false,
        int maxBytes = RequestBody.MaxBytes,
        Func<TView, IResult>? render = null)
    {
        string requestId = request.HttpContext.CorrelationId();
        try
        {
            if (!hasQuery)
            {
                RequestQuery.Parse<NoQuery>(request);
            }

            byte[] bytes = HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method)
                ? []
                : await RequestBody.ReadBytesAsync(request, maxBytes, cancellation);
            RequestContext context = RequestHeaders.Read(request, bytes, requestId) with { Responder = respond.Responder };
            Reply<TView> reply = await run(bytes, context);
            Conformance.Check(request.HttpContext, reply.Error, reply.Stored?.Status ?? respond.Responder.Status);
            return reply switch
            {
                { Error: { } error } => Problem.Of(error, requestId),
                { Stored: { } stored } => new ApiResult(
                    new StoredAnswer(stored.Status, stored.ResponseJson, stored.Location, stored.ETag), replayed: true),
                _ when render is not null => render(reply.Value!),
                _ => new ApiResult(respond.Responder.Render(reply.Value!), replayed: false),
            };
        }
        catch (RefusalException refusal)
        {
            return Problem.Of(refusal.Error, requestId);
        }
    }
}
