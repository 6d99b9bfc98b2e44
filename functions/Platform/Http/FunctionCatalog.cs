using System.Collections.Frozen;
using System.Reflection;
using Flex.Platform.Identity;
using Flex.Platform.Limits;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Template;
using Microsoft.Azure.Functions.Worker;

namespace Flex.Platform.Http;

/// <summary>An HTTP function as its attributes declare it.</summary>
/// <param name="Name">The name in <c>[Function]</c>, unique in the app.</param>
/// <param name="Route">Without the host's prefix, e.g. <c>v1/bookings/{id}</c>.</param>
/// <param name="Methods">Upper-case; empty means every method.</param>
public sealed record FunctionEntry(string Name, MethodInfo Method, string Route, IReadOnlyList<string> Methods)
{
    public AllowAttribute? Allow { get; } = Method.GetCustomAttribute<AllowAttribute>();

    public AllowAnyoneAttribute? AllowAnyone { get; } = Method.GetCustomAttribute<AllowAnyoneAttribute>();

    public OperationAttribute? Operation { get; } = Method.GetCustomAttribute<OperationAttribute>();

    /// <summary>How often a caller may call it.</summary>
    public RatePolicy RatePolicy { get; } = Method.GetCustomAttribute<RateLimitAttribute>()?.Policy
        ?? (Methods is ["GET"] ? RatePolicy.Reads : RatePolicy.Writes);
}

/// <summary>Every HTTP function of the app, found by reflection once; decides access, describes the API and tells 405 from 404.</summary>
public sealed class FunctionCatalog
{
    /// <summary>The prefix in host.json; a test compares the two.</summary>
    public const string RoutePrefix = "api";

    private readonly FrozenDictionary<string, FunctionEntry> _byName;
    private readonly (FunctionEntry Entry, TemplateMatcher Matcher)[] _routes;

    public FunctionCatalog(params IEnumerable<Assembly> assemblies)
    {
        Entries = [.. assemblies.SelectMany(a => a.GetTypes()).SelectMany(Find).OrderBy(e => e.Name, StringComparer.Ordinal)];
        _byName = Entries.ToFrozenDictionary(e => e.Name, StringComparer.Ordinal);
        _routes = [.. Entries.Where(e => !IsCatchAll(e)).Select(e => (e, new TemplateMatcher(TemplateParser.Parse(e.Route), [])))];
    }

    public IReadOnlyList<FunctionEntry> Entries { get; }

    /// <summary>Null for a function that is not an HTTP function of this app: it is refused.</summary>
    public FunctionEntry? Find(string functionName) => _byName.GetValueOrDefault(functionName);

    /// <summary>Methods some function answers at the path (with prefix), upper-case and sorted; empty when there is no such path.</summary>
    public IReadOnlyList<string> MethodsAt(string path)
    {
        string prefix = $"/{RoutePrefix}/";
        if (!path.StartsWith(prefix, StringComparison.OrdinalIgnoreCase))
        {
            return [];
        }

        string local = path[(prefix.Length - 1)..];
        return [.. _routes
            .Where(r => r.Matcher.TryMatch(local, []))
            .SelectMany(r => r.Entry.Methods)
            .Distinct()
            .Order(StringComparer.Ordinal)];
    }

    public static bool IsCatchAll(FunctionEntry entry) => entry.Route.StartsWith("{*", StringComparison.Ordinal);

    private static IEnumerable<FunctionEntry> Find(Type type) =>
        from method in type.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly)
        let function = method.GetCustomAttribute<FunctionAttribute>()
        where function is not null
        let trigger = method.GetParameters().Select(p => p.GetCustomAttribute<HttpTriggerAttribute>()).FirstOrDefault(t => t is not null)
        where trigger is not null
        select new FunctionEntry(
            function.Name,
            method,
            trigger.Route ?? function.Name,
            [.. (trigger.Methods ?? []).Select(m => m.ToUpperInvariant())]);
}
