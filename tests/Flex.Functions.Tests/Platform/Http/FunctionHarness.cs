using System.Net;
using System.Reflection;
using System.Text;
using System.Text.Json.Nodes;
using Flex.Local.Runtime.Hosting;
using Flex.Platform.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Template;
using Microsoft.Azure.Functions.Worker.Middleware;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace Flex.Functions.Tests.Platform.Http;

/// <summary>
/// Runs HTTP functions as a host does, without a network: our middleware in order, the trigger method, its result. Functions are
/// those of the app and of this assembly; rate limits are ample unless the settings have others.
/// </summary>
internal sealed class FunctionHarness : IDisposable
{
    private readonly ServiceProvider _services;
    private readonly FunctionCatalog _catalog;

    public FunctionHarness(Action<IServiceCollection>? configure = null, Dictionary<string, string?>? settings = null)
    {
        var services = new ServiceCollection();
        services.AddSingleton<TimeProvider>(Time);
        services.AddLogging(b => b.AddProvider(Logs).SetMinimumLevel(LogLevel.Trace));
        services.AddFlex(new ConfigurationBuilder().AddInMemoryCollection(LocalSettings.AmpleRateLimits).AddInMemoryCollection(settings ?? []).Build());
        _catalog = new FunctionCatalog(typeof(FlexApp).Assembly, typeof(FunctionHarness).Assembly);
        services.AddSingleton(_catalog);
        configure?.Invoke(services);
        _services = services.BuildServiceProvider();
    }

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2025, 1, 1, 0, 0, 0, TimeSpan.Zero));

    public RecordingLogs Logs { get; } = new();

    /// <summary>Where requests come from, as the host tells; null when it does not know.</summary>
    public IPAddress? Address { get; set; }

    public IServiceProvider Services => _services;

    public Task<Answer> SendAsync(string function, string method, string path, string? body = null, params (string Name, string Value)[] headers) =>
        SendBytesAsync(function, method, path, body is null ? null : Encoding.UTF8.GetBytes(body), headers);

    /// <summary>As JSON, unless a header says otherwise.</summary>
    public async Task<Answer> SendBytesAsync(string function, string method, string path, byte[]? body, params (string Name, string Value)[] headers)
    {
        await using AsyncServiceScope scope = _services.CreateAsyncScope();
        var http = new DefaultHttpContext { RequestServices = scope.ServiceProvider };
        var url = new Uri("http://localhost" + path);
        http.Connection.RemoteIpAddress = Address;
        http.Request.Method = method;
        http.Request.Path = Uri.UnescapeDataString(url.AbsolutePath);
        http.Request.QueryString = new QueryString(url.Query);
        if (body is not null)
        {
            http.Request.Body = new MemoryStream(body);
            http.Request.ContentLength = body.Length;
            http.Request.ContentType = "application/json";
        }

        foreach ((string name, string value) in headers)
        {
            http.Request.Headers[name] = value;
        }

        if (http.Request.Headers.TransferEncoding.Count > 0)
        {
            http.Request.ContentLength = null;
        }

        using var output = new MemoryStream();
        http.Response.Body = output;
        FunctionEntry entry = _catalog.Find(function) ?? throw new InvalidOperationException($"No function {function}.");
        FunctionExecutionDelegate pipeline = _ => InvokeAsync(entry, http, scope.ServiceProvider);
        foreach (Type type in FlexApp.Middleware.Reverse())
        {
            var middleware = (IFunctionsWorkerMiddleware)scope.ServiceProvider.GetRequiredService(type);
            FunctionExecutionDelegate inner = pipeline;
            pipeline = context => middleware.Invoke(context, inner);
        }

        await pipeline(new FakeFunctionContext(function, http, scope.ServiceProvider));
        return new Answer(http.Response.StatusCode, http.Response.Headers, Encoding.UTF8.GetString(output.ToArray())) { Bytes = output.ToArray() };
    }

    public void Dispose() => _services.Dispose();

    private static async Task InvokeAsync(FunctionEntry entry, HttpContext http, IServiceProvider services)
    {
        var values = new RouteValueDictionary();
        new TemplateMatcher(TemplateParser.Parse("api/" + entry.Route), []).TryMatch(http.Request.Path, values);
        object?[] arguments = [.. entry.Method.GetParameters().Select(p =>
            p.ParameterType == typeof(HttpRequest) ? http.Request
            : p.ParameterType == typeof(CancellationToken) ? (object)CancellationToken.None
            : values[p.Name!])];
        object? target = entry.Method.IsStatic ? null : ActivatorUtilities.CreateInstance(services, entry.Method.DeclaringType!);
        object? returned = entry.Method.Invoke(target, BindingFlags.DoNotWrapExceptions, null, arguments, null);
        IResult result = returned as IResult ?? await (Task<IResult>)returned!;
        await result.ExecuteAsync(http);
    }
}

/// <summary>What came back.</summary>
internal sealed record Answer(int Status, IHeaderDictionary Headers, string Body)
{
    public byte[] Bytes { get; init; } = [];

    public JsonNode Json => JsonNode.Parse(Body)!;

    public string? Code => (string?)Json["code"];

    public string? Pointer => (string?)Json["errors"]?[0]?["pointer"];
}
