using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Middleware;

namespace Flex.Platform.Telemetry;

/// <summary>What is being done, flowing with the async context: the function's name or, for a message, its queue and subject.</summary>
public static class CurrentAction
{
    /// <summary>Of what no function does, e.g. the start of the process.</summary>
    public const string None = "none";

    private static readonly AsyncLocal<string?> Value = new();

    public static string Name => Value.Value ?? None;

    public static void Set(string name) => Value.Value = name;
}

/// <summary>Names every invocation. Not asynchronous itself, so orchestrations may pass it.</summary>
public sealed class ActionMiddleware : IFunctionsWorkerMiddleware
{
    public Task Invoke(FunctionContext context, FunctionExecutionDelegate next)
    {
        CurrentAction.Set(context.FunctionDefinition.Name);
        return next(context);
    }
}
