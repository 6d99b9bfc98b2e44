using System.Collections;
using System.Collections.Immutable;
using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Extensions.Abstractions;

namespace Flex.Local.Runtime.Functions;

/// <summary>What one invocation is given.</summary>
/// <param name="Trigger">The trigger's value as the type of the function's parameter.</param>
public sealed record Invocation(Func<Type, object?> Trigger)
{
    private static readonly Dictionary<string, object?> NoData = [];

    public HttpContext? Http { get; init; }

    /// <summary>How a queue function settles its message.</summary>
    public ServiceBusMessageActions? MessageActions { get; init; }

    public IReadOnlyDictionary<string, object?> BindingData { get; init; } = NoData;

    /// <summary>Called when all middleware has returned, while the invocation's services still live.</summary>
    public Func<LocalFunctionContext, Task>? Completing { get; init; }

    public CancellationToken Cancellation { get; init; }
}

/// <summary>The worker's context of one invocation, without a Functions host behind it.</summary>
public sealed class LocalFunctionContext : FunctionContext
{
    /// <summary>Where the ASP.NET Core integration keeps the HttpContext; <c>GetHttpContext()</c> reads it there.</summary>
    public const string HttpContextKey = "HttpRequestContext";

    internal LocalFunctionContext(FunctionDescriptor function, Invocation invocation, string invocationId, IServiceProvider services)
    {
        Function = function;
        Invocation = invocation;
        InvocationId = invocationId;
        InstanceServices = services;
        BindingContext = new LocalBindingContext(invocation.BindingData);
        Items = new Dictionary<object, object>();
        if (invocation.Http is { } http)
        {
            Items[HttpContextKey] = http;
        }
    }

    public override string InvocationId { get; }

    public override string FunctionId => Function.Definition.Id;

    public override TraceContext TraceContext { get; } = new LocalTraceContext(Activity.Current);

    public override BindingContext BindingContext { get; }

    public override RetryContext RetryContext { get; } = new LocalRetryContext();

    public override IServiceProvider InstanceServices { get; set; }

    public override FunctionDefinition FunctionDefinition => Function.Definition;

    public override IDictionary<object, object> Items { get; set; }

    public override IInvocationFeatures Features { get; } = new LocalInvocationFeatures();

    public override CancellationToken CancellationToken => Invocation.Cancellation;

    /// <summary>What the function returned; null before that, and for functions without a result.</summary>
    public object? Result { get; internal set; }

    internal FunctionDescriptor Function { get; }

    internal Invocation Invocation { get; }

    private sealed class LocalBindingContext(IReadOnlyDictionary<string, object?> data) : BindingContext
    {
        public override IReadOnlyDictionary<string, object?> BindingData => data;
    }

    private sealed class LocalTraceContext(Activity? activity) : TraceContext
    {
        public override string TraceParent => activity?.Id ?? string.Empty;

        public override string TraceState => activity?.TraceStateString ?? string.Empty;
    }

    private sealed class LocalRetryContext : RetryContext
    {
        public override int RetryCount => 0;

        public override int MaxRetryCount => 0;
    }

    private sealed class LocalInvocationFeatures : IInvocationFeatures
    {
        private readonly Dictionary<Type, object> _features = [];

        public void Set<T>(T instance) => _features[typeof(T)] = instance!;

        public T? Get<T>() => _features.TryGetValue(typeof(T), out object? feature) ? (T)feature : default;

        public IEnumerator<KeyValuePair<Type, object>> GetEnumerator() => _features.GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }
}

/// <summary>The worker's description of a function; <see cref="EntryPoint"/> is <c>Namespace.Class.Method</c>.</summary>
public sealed class LocalFunctionDefinition : FunctionDefinition
{
    internal LocalFunctionDefinition(FunctionDescriptor function)
    {
        Name = function.Name;
        EntryPoint = $"{function.Method.DeclaringType!.FullName}.{function.Method.Name}";
        PathToAssembly = function.Method.Module.FullyQualifiedName;
        Id = System.IO.Hashing.XxHash64.HashToUInt64(System.Text.Encoding.UTF8.GetBytes(EntryPoint + "|" + Name))
            .ToString(System.Globalization.CultureInfo.InvariantCulture);
        Parameters = [.. function.Method.GetParameters().Select(p => new FunctionParameter(p.Name!, p.ParameterType))];
        InputBindings = function.Method.GetParameters()
            .Select(p => (p.Name, Binding: p.GetCustomAttributes(typeof(BindingAttribute), true).FirstOrDefault()))
            .Where(p => p.Binding is not null)
            .ToImmutableDictionary(p => p.Name!, p => (BindingMetadata)new LocalBindingMetadata(p.Name!, TypeOf(p.Binding!)));
    }

    public override ImmutableArray<FunctionParameter> Parameters { get; }

    public override string PathToAssembly { get; }

    public override string EntryPoint { get; }

    public override string Id { get; }

    public override string Name { get; }

    public override IImmutableDictionary<string, BindingMetadata> InputBindings { get; }

    public override IImmutableDictionary<string, BindingMetadata> OutputBindings { get; } = ImmutableDictionary<string, BindingMetadata>.Empty;

    /// <summary>The host's name of a binding is its attribute's, in camel case: <c>httpTrigger</c>, <c>durableClient</c> ...</summary>
    private static string TypeOf(object attribute)
    {
        string name = attribute.GetType().Name;
        return char.ToLowerInvariant(name[0]) + name[1..^nameof(Attribute).Length];
    }

    private sealed class LocalBindingMetadata(string name, string type) : BindingMetadata
    {
        public override string Name => name;

        public override string Type => type;

        public override BindingDirection Direction => BindingDirection.In;
    }
}
