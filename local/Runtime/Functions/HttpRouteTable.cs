using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Constraints;
using Microsoft.AspNetCore.Routing.Template;
using Microsoft.Extensions.Options;

namespace Flex.Local.Runtime.Functions;

/// <summary>
/// Chooses the function for a request as the Functions host does: among all whose template, constraints and method match,
/// the first by NAME (alphabetical, case-insensitive), not the most specific one. A wrong method is no match (404, never
/// 405). Letter case and a trailing slash do not matter; <c>%2F</c> stays as it is.
/// </summary>
public sealed partial class HttpRouteTable
{
    private static readonly DefaultInlineConstraintResolver Constraints = new(Options.Create(new RouteOptions()), new NoServices());
    private static readonly RouteValueDictionary NoDefaults = [];
    private readonly List<Entry> _entries;

    /// <param name="functions">In the order in which they are to be tried.</param>
    internal HttpRouteTable(IEnumerable<FunctionDescriptor> functions) => _entries = [.. functions.Select(f => new Entry(f))];

    /// <param name="path">The path behind the route prefix, starting with a slash or empty.</param>
    public FunctionDescriptor? Find(string method, PathString path, RouteValueDictionary values)
    {
        foreach (Entry entry in _entries)
        {
            if (entry.Matches(method, path, values))
            {
                return entry.Function;
            }

            values.Clear();
        }

        return null;
    }

    internal static string? ProblemOf(string route)
    {
        try
        {
            foreach (TemplatePart part in TemplateParser.Parse(route).Parameters)
            {
                foreach (InlineConstraint constraint in part.InlineConstraints)
                {
                    if (Constraints.ResolveConstraint(constraint.Constraint) is null)
                    {
                        return $"the route '{route}' has an unknown constraint '{constraint.Constraint}'.";
                    }
                }
            }

            return null;
        }
        catch (Exception broken) when (broken is ArgumentException or RouteCreationException)
        {
            return $"the route '{route}' cannot be parsed: {broken.Message}";
        }
    }

    /// <summary>Two functions with the same route and method: the host puts one in error and the other times out.</summary>
    internal static IEnumerable<string> Conflicts(IEnumerable<FunctionDescriptor> functions) => functions
        .Where(f => f.Trigger is HttpFunctionTrigger)
        .Select(f => (Function: f, Trigger: (HttpFunctionTrigger)f.Trigger))
        .SelectMany(f => Methods(f.Trigger.Methods).Select(m => (f.Function, Method: m, Shape: Shape(f.Trigger.Route))))
        .GroupBy(x => (x.Method, x.Shape))
        .Where(g => g.Select(x => x.Function.Name).Distinct().Count() > 1)
        .Select(g => $"{string.Join(" and ", g.Select(x => x.Function.Name))}: both serve {g.Key.Method} '{g.Key.Shape}'.");

    private static IEnumerable<string> Methods(IReadOnlyList<string> methods) => methods.Count == 0 ? ["*"] : methods;

    /// <summary>The template without the names of its parameters.</summary>
    private static string Shape(string route) => ParameterName().Replace(route.Trim('/').ToLowerInvariant(), "{$1");

    [GeneratedRegex(@"\{(\**)[^:}?=]*")]
    private static partial Regex ParameterName();

    private sealed class Entry
    {
        private readonly TemplateMatcher _matcher;
        private readonly IReadOnlyList<string> _methods;
        private readonly List<(string Name, IRouteConstraint Constraint)> _constraints = [];
        private readonly string? _first;

        public Entry(FunctionDescriptor function)
        {
            Function = function;
            var trigger = (HttpFunctionTrigger)function.Trigger;
            _methods = trigger.Methods;
            RouteTemplate template = TemplateParser.Parse(trigger.Route);
            var defaults = new RouteValueDictionary();
            foreach (TemplatePart part in template.Parameters)
            {
                if (part.DefaultValue is not null)
                {
                    defaults[part.Name!] = part.DefaultValue;
                }

                foreach (InlineConstraint inline in part.InlineConstraints)
                {
                    IRouteConstraint constraint = Constraints.ResolveConstraint(inline.Constraint)!;
                    _constraints.Add((part.Name!, part.IsOptional ? new OptionalRouteConstraint(constraint) : constraint));
                }
            }

            _matcher = new TemplateMatcher(template, defaults.Count == 0 ? NoDefaults : defaults);
            _first = template.Segments is [{ IsSimple: true, Parts: [{ IsLiteral: true, Text: var text }] }, ..] ? "/" + text : null;
        }

        public FunctionDescriptor Function { get; }

        public bool Matches(string method, PathString path, RouteValueDictionary values) =>
            (_methods.Count == 0 || _methods.Contains(method, StringComparer.OrdinalIgnoreCase))
            && (_first is null || path.Value?.StartsWith(_first, StringComparison.OrdinalIgnoreCase) == true)
            && _matcher.TryMatch(path, values)
            && _constraints.TrueForAll(c => c.Constraint.Match(null, null, c.Name, values, RouteDirection.IncomingRequest));
    }

    private sealed class NoServices : IServiceProvider
    {
        public object? GetService(Type serviceType) => null;
    }
}
