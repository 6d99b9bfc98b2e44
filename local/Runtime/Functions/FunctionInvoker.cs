using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Middleware;
using Microsoft.Extensions.DependencyInjection;

namespace Flex.Local.Runtime.Functions;

/// <summary>The worker middleware every invocation passes, outermost first.</summary>
public sealed record FunctionPipeline(IReadOnlyList<Type> Middleware);

/// <summary>Names invocations. Seeded in test worlds, so that whatever copies an invocation's id stays reproducible.</summary>
public sealed class InvocationIds(int? seed)
{
    private readonly Random _random = seed is { } s ? new Random(s) : new Random();

    public string Next()
    {
        Span<byte> bytes = stackalloc byte[16];
        lock (_random)
        {
            _random.NextBytes(bytes);
        }

        return new Guid(bytes).ToString();
    }
}

/// <summary>
/// Runs a function as the isolated worker does: a service scope per invocation, the middleware in order, then parameter
/// binding, a fresh instance and the method. What the function throws passes through the middleware unchanged.
/// </summary>
public sealed class FunctionInvoker
{
    private readonly IServiceScopeFactory _scopes;
    private readonly InvocationIds _ids;
    private readonly FunctionExecutionDelegate _pipeline;

    public FunctionInvoker(IServiceScopeFactory scopes, FunctionPipeline pipeline, InvocationIds ids)
    {
        _scopes = scopes;
        _ids = ids;
        _pipeline = RunAsync;
        foreach (Type type in pipeline.Middleware.Reverse())
        {
            FunctionExecutionDelegate next = _pipeline;
            _pipeline = context => ((IFunctionsWorkerMiddleware)context.InstanceServices.GetRequiredService(type)).Invoke(context, next);
        }
    }

    /// <summary>The function's result, or null when a middleware did not let the call through.</summary>
    public async Task<object?> InvokeAsync(FunctionDescriptor function, Invocation invocation)
    {
        await using AsyncServiceScope scope = _scopes.CreateAsyncScope();
        var context = new LocalFunctionContext(function, invocation, _ids.Next(), scope.ServiceProvider);
        if (invocation.Http is { } http)
        {
            http.RequestServices = scope.ServiceProvider;
        }

        await _pipeline(context);
        if (invocation.Completing is { } completing)
        {
            await completing(context);
        }

        return context.Result;
    }

    private static async Task RunAsync(FunctionContext context)
    {
        var local = (LocalFunctionContext)context;
        local.Result = await local.Function.Call.RunAsync(local);
    }
}
