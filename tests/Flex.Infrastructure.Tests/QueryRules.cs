using System.Text.RegularExpressions;
using Flex.Invoicing;
using Flex.Payments;

namespace Flex.Infrastructure.Tests;

/// <summary>
/// What a query over the workspace must keep so that it does not just stay silent: tables and columns that Application Insights fills,
/// and metrics, tags and states that the code has. Source of the tables: learn.microsoft.com/azure/azure-monitor/reference/tables-category.
/// </summary>
internal static partial class QueryRules
{
    private static readonly Dictionary<string, string[]> Tables = new(StringComparer.Ordinal)
    {
        ["AppMetrics"] = ["Sum", "Min", "Max", "ItemCount"],
        ["AppRequests"] = ["ItemCount", "DurationMs"],
        ["AppDependencies"] = ["ItemCount", "DurationMs"],
        ["AppTraces"] = ["ItemCount"],
        ["AppExceptions"] = ["ItemCount"],
        ["AppAvailabilityResults"] = ["ItemCount", "DurationMs"],
    };

    /// <summary>The values that tags of states have.</summary>
    private static readonly HashSet<string> States =
        [.. Enum.GetNames<AttemptState>(), .. Enum.GetNames<ChargeState>(), .. Enum.GetNames<WebhookOutcome>(), "Begun"];

    /// <summary>What is wrong with the query, in words; empty when nothing is.</summary>
    public static IReadOnlyList<string> Check(string query, IReadOnlyDictionary<string, IReadOnlySet<string>> metrics)
    {
        Match[] starts = Start().Matches(query).ToArray();
        if (starts.Length == 0 || starts[0].Index > 0)
        {
            return ["The query does not begin with a table."];
        }

        return [.. starts.SelectMany((start, i) =>
            Part(start.Groups["table"].Value, query[start.Index..(i + 1 < starts.Length ? starts[i + 1].Index : query.Length)], metrics))];
    }

    private static IEnumerable<string> Part(string table, string part, IReadOnlyDictionary<string, IReadOnlySet<string>> metrics)
    {
        if (!Tables.TryGetValue(table, out string[]? columns))
        {
            yield return $"There is no table {table}.";
            yield break;
        }

        foreach (string column in Aggregated().Matches(part).Select(m => m.Groups["column"].Value).Where(c => !columns.Contains(c)))
        {
            yield return $"{table} has no number {column}.";
        }

        foreach (string state in State().Matches(part).Select(m => m.Groups["state"].Value).Where(s => !States.Contains(s)))
        {
            yield return $"Nothing is ever in state {state}.";
        }

        if (table != "AppMetrics")
        {
            yield break;
        }

        string[] names = [.. Name().Matches(part).Select(m => m.Groups["name"].Value)];
        if (names is not [string name])
        {
            yield return "A query of metrics names one of them.";
        }
        else if (!metrics.TryGetValue(name, out IReadOnlySet<string>? tags))
        {
            yield return $"There is no metric {name}.";
        }
        else
        {
            foreach (string tag in Tag().Matches(part).Select(m => m.Groups["tag"].Value).Where(t => !tags.Contains(t)))
            {
                yield return $"{name} has no tag {tag}.";
            }
        }
    }

    /// <summary>A table: a word at the beginning of the query or of a part in brackets, with the pipe after it on a line of its own.</summary>
    [GeneratedRegex(@"(?:\A|(?<=\())(?<table>\w+)\s*\n\|")]
    private static partial Regex Start();

    [GeneratedRegex(@"\b(?:sum|sumif|min|max|countif)\((?<column>\w+)")]
    private static partial Regex Aggregated();

    [GeneratedRegex(@"(?<!Name )== '(?<state>\w+)'")]
    private static partial Regex State();

    [GeneratedRegex(@"Name == '(?<name>[^']+)'")]
    private static partial Regex Name();

    [GeneratedRegex(@"Properties\.(?<tag>\w+)")]
    private static partial Regex Tag();
}
