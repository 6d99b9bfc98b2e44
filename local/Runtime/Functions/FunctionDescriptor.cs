using System.Reflection;

namespace Flex.Local.Runtime.Functions;

/// <summary>What starts a function, from the attribute on its trigger parameter.</summary>
public abstract record FunctionTrigger(ParameterInfo Parameter);

/// <param name="Methods">Upper-case HTTP methods; empty is every method.</param>
/// <param name="Route">Template without the route prefix; the function's name when the attribute gives none.</param>
public sealed record HttpFunctionTrigger(ParameterInfo Parameter, IReadOnlyList<string> Methods, string Route) : FunctionTrigger(Parameter);

/// <param name="Schedule">Six-field NCRONTAB or <c>%SETTING%</c>.</param>
public sealed record TimerFunctionTrigger(ParameterInfo Parameter, string Schedule, bool UseMonitor, bool RunOnStartup) : FunctionTrigger(Parameter);

public sealed record QueueFunctionTrigger(ParameterInfo Parameter, string Queue) : FunctionTrigger(Parameter);

public sealed record OrchestrationFunctionTrigger(ParameterInfo Parameter) : FunctionTrigger(Parameter);

public sealed record ActivityFunctionTrigger(ParameterInfo Parameter) : FunctionTrigger(Parameter);

/// <summary>One function: its name, its method and what starts it.</summary>
public sealed class FunctionDescriptor
{
    internal FunctionDescriptor(string name, MethodInfo method, FunctionTrigger trigger)
    {
        Name = name;
        Method = method;
        Trigger = trigger;
        Definition = new LocalFunctionDefinition(this);
        Call = new FunctionMethod(this);
    }

    public string Name { get; }

    public MethodInfo Method { get; }

    public FunctionTrigger Trigger { get; }

    public LocalFunctionDefinition Definition { get; }

    internal FunctionMethod Call { get; }
}

/// <summary>The functions of an assembly cannot be served as they are; the message lists every reason.</summary>
public sealed class FunctionDiscoveryException : Exception
{
    public FunctionDiscoveryException()
    {
    }

    public FunctionDiscoveryException(string message)
        : base(message)
    {
    }

    public FunctionDiscoveryException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
