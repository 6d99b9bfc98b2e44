using System.Collections.Concurrent;
using System.Reflection;
using Azure.Messaging.ServiceBus;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Extensions.Abstractions;

namespace Flex.Local.Runtime.Functions;

/// <summary>
/// All functions of an assembly, found by their attributes. Immutable and without services, so one catalogue serves every
/// runtime of the process.
/// </summary>
public sealed class FunctionCatalogue
{
    private static readonly ConcurrentDictionary<Assembly, FunctionCatalogue> Cache = new();
    private readonly Dictionary<string, FunctionDescriptor> _byName;

    private FunctionCatalogue(List<FunctionDescriptor> functions)
    {
        functions.Sort((a, b) => string.Compare(a.Name, b.Name, StringComparison.OrdinalIgnoreCase));
        All = functions;
        _byName = functions.ToDictionary(f => f.Name, StringComparer.OrdinalIgnoreCase);
        Routes = new HttpRouteTable(functions.Where(f => f.Trigger is HttpFunctionTrigger));
    }

    /// <summary>In alphabetical order, which is also the order in which routes are tried.</summary>
    public IReadOnlyList<FunctionDescriptor> All { get; }

    public HttpRouteTable Routes { get; }

    /// <exception cref="FunctionDiscoveryException">The real host could not load or serve some function.</exception>
    public static FunctionCatalogue Of(Assembly assembly) => Cache.GetOrAdd(assembly, a => Of(a.GetTypes()));

    public static FunctionCatalogue Of(params IEnumerable<Type> types)
    {
        var problems = new List<string>();
        var functions = new List<FunctionDescriptor>();
        foreach (Type type in types)
        {
            foreach (MethodInfo method in type.GetMethods(
                BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly))
            {
                if (method.GetCustomAttribute<FunctionAttribute>() is { } attribute && Describe(attribute.Name, method, problems) is { } function)
                {
                    functions.Add(function);
                }
            }
        }

        problems.AddRange(functions
            .GroupBy(f => f.Name, StringComparer.OrdinalIgnoreCase)
            .Where(g => g.Count() > 1)
            .Select(g => $"{g.Key}: the name is used by {string.Join(" and ", g.Select(f => f.Definition.EntryPoint))}."));
        problems.AddRange(HttpRouteTable.Conflicts(functions));
        return problems.Count == 0
            ? new FunctionCatalogue(functions)
            : throw new FunctionDiscoveryException("These functions cannot be served:\n  " + string.Join("\n  ", problems));
    }

    public FunctionDescriptor? Find(string name) => _byName.GetValueOrDefault(name);

    public IEnumerable<(FunctionDescriptor Function, T Trigger)> Having<T>()
        where T : FunctionTrigger => All.Where(f => f.Trigger is T).Select(f => (f, (T)f.Trigger));

    private static FunctionDescriptor? Describe(string name, MethodInfo method, List<string> problems)
    {
        int before = problems.Count;
        Type type = method.DeclaringType!;
        void Problem(string what) => problems.Add($"{name} ({type.FullName}.{method.Name}): {what}");
        if (type.IsNested)
        {
            Problem("the class is nested; the host does not load it.");
        }

        if (!type.IsVisible || !method.IsPublic)
        {
            Problem("class and method must be public.");
        }

        if (type.ContainsGenericParameters || method.ContainsGenericParameters || (type.IsAbstract && !method.IsStatic))
        {
            Problem("the class or the method is generic or abstract.");
        }

        if (!FunctionMethod.CanReturn(method.ReturnType))
        {
            Problem($"the return type {method.ReturnType.Name} is not supported.");
        }

        ParameterInfo[] triggers = [.. method.GetParameters().Where(p => p.GetCustomAttribute<TriggerBindingAttribute>() is not null)];
        if (triggers.Length != 1)
        {
            Problem($"it has {triggers.Length} triggers; a function has one.");
            return null;
        }

        FunctionTrigger? trigger = DescribeTrigger(name, triggers[0], Problem);
        return problems.Count == before && trigger is not null ? new FunctionDescriptor(name, method, trigger) : null;
    }

    private static FunctionTrigger? DescribeTrigger(string name, ParameterInfo parameter, Action<string> problem)
    {
        switch (parameter.GetCustomAttribute<TriggerBindingAttribute>())
        {
            case HttpTriggerAttribute http:
                if (http.AuthLevel != AuthorizationLevel.Anonymous)
                {
                    problem("function keys do not exist on one machine; the level must be Anonymous.");
                }

                string route = http.Route ?? name;
                if (HttpRouteTable.ProblemOf(route) is { } broken)
                {
                    problem(broken);
                }

                return new HttpFunctionTrigger(parameter, [.. (http.Methods ?? []).Select(m => m.ToUpperInvariant())], route);
            case TimerTriggerAttribute timer:
                return new TimerFunctionTrigger(parameter, timer.Schedule, timer.UseMonitor, timer.RunOnStartup);
            case ServiceBusTriggerAttribute queue when queue.QueueName is { Length: > 0 } queueName:
                if (parameter.ParameterType != typeof(ServiceBusReceivedMessage)
                    || parameter.Member is not MethodInfo method
                    || !method.GetParameters().Any(p => p.ParameterType == typeof(ServiceBusMessageActions)))
                {
                    problem("a queue function takes a ServiceBusReceivedMessage and, as nobody else settles it, ServiceBusMessageActions.");
                }

                return new QueueFunctionTrigger(parameter, queueName);
            case OrchestrationTriggerAttribute:
                return new OrchestrationFunctionTrigger(parameter);
            case ActivityTriggerAttribute:
                return new ActivityFunctionTrigger(parameter);
            default:
                problem("this trigger is not supported.");
                return null;
        }
    }
}
