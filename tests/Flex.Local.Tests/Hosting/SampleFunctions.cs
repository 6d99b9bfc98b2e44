using Azure.Messaging.ServiceBus;
using Flex.Platform.Messaging;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Middleware;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace Flex.Local.Tests.Hosting;

/// <summary>What the sample functions saw, per service scope and over all of them.</summary>
public sealed class Seen
{
    public List<string> Lines { get; } = [];
}

public sealed class ScopedThing
{
    public bool Disposed { get; set; }
}

public sealed class SampleFunctions(Seen seen, ScopedThing scoped)
{
    [Function("Things_Get")]
    public IResult Get(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "things/{id:int}")] HttpRequest request,
        int id,
        FunctionContext context,
        CancellationToken cancellation)
    {
        seen.Lines.Add($"{context.FunctionDefinition.Name} {context.FunctionDefinition.EntryPoint} {cancellation == context.CancellationToken}");
        bool sameScope = ReferenceEquals(request.HttpContext.RequestServices.GetService(typeof(ScopedThing)), scoped);
        return Results.Ok(new { id, sameScope, query = request.Query["q"].ToString() });
    }

    [Function("Things_Patch")]
    public static IResult Patch([HttpTrigger(AuthorizationLevel.Anonymous, "patch", Route = "things/{id}")] HttpRequest request, string id) =>
        Results.Text($"{request.Method} {id}");

    [Function("Zed")]
    public static IResult Special([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "zed/special")] HttpRequest request) =>
        Results.Text("special of " + request.Path.Value);

    [Function("Aed")]
    public static IResult Any([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "zed/{id}")] HttpRequest request, string id) =>
        Results.Text($"any {id} of {request.Path.Value}");

    [Function("Guids")]
    public static IResult Guids([HttpTrigger(AuthorizationLevel.Anonymous, Route = "guids/{id}/{tail?}")] HttpRequest request, Guid id, string? tail) =>
        Results.Text($"{request.Method} {id} {tail ?? "none"}");

    [Function("Poco")]
    public object Poco([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "poco")] HttpRequest request) =>
        new { request.Method, Seen = seen.Lines.Count };

    [Function("Action")]
    public static IActionResult Action([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "action")] HttpRequest request) =>
        new StatusCodeResult(request.Query.Count == 0 ? 202 : 203);

    [Function("Throws")]
    public async Task<IResult> Throws([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "throws")] HttpRequest request)
    {
        request.HttpContext.Response.Headers["X-Leaked"] = "1";
        await Task.Yield();
        seen.Lines.Add("throwing");
        throw new InvalidOperationException("boom");
    }

    [Function("Echo")]
    public async Task<IResult> Echo([HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "echo")] HttpRequest request, CancellationToken cancellation)
    {
        using var bytes = new MemoryStream();
        await request.Body.CopyToAsync(bytes, cancellation);
        seen.Lines.Add($"{request.ContentLength} {request.ContentType}");
        return Results.Bytes(bytes.ToArray(), request.ContentType);
    }

    [Function("Publish")]
    public static async Task<IResult> Publish(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "publish/{id}")] HttpRequest request,
        string id)
    {
        var publisher = (IMessagePublisher)request.HttpContext.RequestServices.GetService(typeof(IMessagePublisher))!;
        await publisher.PublishAsync(Queues.Billing, new Envelope(id, "sample.v1", "{}", null), null, request.HttpContext.RequestAborted);
        return Results.Accepted();
    }

    [Function("Start")]
    public static async Task<IResult> Start(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "start/{id}")] HttpRequest request,
        string id,
        [DurableClient] DurableTaskClient client)
    {
        await client.ScheduleNewOrchestrationInstanceAsync("Sample_v1", id, new StartOrchestrationOptions(id), request.HttpContext.RequestAborted);
        return Results.Accepted();
    }
}

public sealed class SampleWork(Seen seen, TimeProvider time)
{
    [Function("Hourly")]
    public void Hourly([TimerTrigger("0 0 * * * *")] TimerInfo timer) => seen.Lines.Add($"hourly {time.GetUtcNow():HH:mm} late={timer.IsPastDue}");

    [Function("Billing")]
    public Task Billing(
        [ServiceBusTrigger(Queues.Billing, Connection = Queues.Connection)] ServiceBusReceivedMessage message, ServiceBusMessageActions actions)
    {
        seen.Lines.Add($"billing {message.MessageId} {time.GetUtcNow():HH:mm}");
        return message.MessageId.Contains("poison", StringComparison.Ordinal)
            ? throw new InvalidOperationException("cannot digest")
            : actions.CompleteMessageAsync(message);
    }

    [Function("Sample_v1")]
    public static async Task<string> Orchestrate([OrchestrationTrigger] TaskOrchestrationContext context)
    {
        await context.CreateTimer(TimeSpan.FromHours(2), CancellationToken.None);
        return await context.CallActivityAsync<string>("Sample_Act_v1", context.GetInput<string>());
    }

    [Function("Sample_Act_v1")]
    public Task<string> Act([ActivityTrigger] string input)
    {
        seen.Lines.Add($"activity {input} {time.GetUtcNow():HH:mm}");
        return Task.FromResult("did " + input);
    }
}

/// <summary>Outer middleware: turns exceptions into problems, passes everything that is not HTTP.</summary>
public sealed class OuterMiddleware(Seen seen) : IFunctionsWorkerMiddleware
{
    public async Task Invoke(FunctionContext context, FunctionExecutionDelegate next)
    {
        if (context.GetHttpContext() is not { } http)
        {
            await next(context);
            return;
        }

        seen.Lines.Add("outer in");
        http.Response.OnStarting(() =>
        {
            http.Response.Headers["X-Starting"] = "yes";
            return Task.CompletedTask;
        });
        try
        {
            await next(context);
        }
        catch (InvalidOperationException e) when (http.Request.Query.ContainsKey("catch"))
        {
            http.Response.Clear();
            await Results.Problem(title: e.Message, statusCode: 409).ExecuteAsync(http);
        }
        catch (BadHttpRequestException e)
        {
            await Results.Problem(title: e.Message, statusCode: e.StatusCode).ExecuteAsync(http);
        }

        seen.Lines.Add("outer out");
    }
}

/// <summary>Inner middleware: refuses what carries <c>deny</c>.</summary>
public sealed class InnerMiddleware(Seen seen) : IFunctionsWorkerMiddleware
{
    public async Task Invoke(FunctionContext context, FunctionExecutionDelegate next)
    {
        if (context.GetHttpContext() is { } http)
        {
            seen.Lines.Add("inner in");
            if (http.Request.Query.ContainsKey("deny"))
            {
                await Results.Problem(statusCode: 403).ExecuteAsync(http);
                return;
            }
        }

        await next(context);
    }
}
