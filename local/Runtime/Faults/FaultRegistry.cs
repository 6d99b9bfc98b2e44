namespace Flex.Local.Runtime.Faults;

/// <summary>What goes wrong.</summary>
public enum FaultKind
{
    /// <summary>The answer comes, but only after <see cref="FaultRule.LatencyMs"/> of real time.</summary>
    Latency,

    /// <summary>Nothing happens and the answer is <see cref="FaultRule.Status"/> (429, 5xx ...).</summary>
    Status,

    /// <summary>The request takes effect, but its answer never arrives.</summary>
    TimeoutAfterEffect,

    /// <summary>Nothing happens and no answer arrives.</summary>
    TimeoutBeforeEffect,

    /// <summary>A delivery arrives twice.</summary>
    Duplicate,

    /// <summary>A delivery arrives after a later one.</summary>
    Reorder,

    /// <summary>A delivery never arrives.</summary>
    Drop,
}

/// <summary>One injected fault.</summary>
/// <param name="Target">Who misbehaves: <c>stripe</c>, <c>salto</c>, <c>webhooks</c>, <c>mail</c>.</param>
/// <param name="Method">HTTP method it applies to; null is every one.</param>
/// <param name="Path">A part of the path (for webhooks: of the event type) it applies to; null is every one.</param>
/// <param name="Match">A text the request's body (for webhooks: the object's id) must contain; null is any.</param>
/// <param name="Times">How often it happens before it is used up; null is until it is deleted.</param>
public sealed record FaultRule(
    string Target,
    FaultKind Kind,
    string? Method = null,
    string? Path = null,
    string? Match = null,
    int? Status = null,
    int? LatencyMs = null,
    int? Times = 1)
{
    /// <summary>Given by the registry.</summary>
    public string Id { get; init; } = string.Empty;

    /// <summary>How often it has happened.</summary>
    public int Hits { get; init; }

    internal bool Applies(string target, string method, string path, string body) =>
        string.Equals(Target, target, StringComparison.OrdinalIgnoreCase)
        && (Method is null || string.Equals(Method, method, StringComparison.OrdinalIgnoreCase))
        && (Path is null || path.Contains(Path, StringComparison.OrdinalIgnoreCase))
        && (Match is null || body.Contains(Match, StringComparison.Ordinal));
}

/// <summary>
/// The faults that are in force. A simulator asks with each request or delivery and does what the rule it gets says;
/// rules are tried in the order they were added and a used-up rule is gone.
/// </summary>
public sealed class FaultRegistry
{
    public const string Stripe = "stripe";
    public const string Salto = "salto";
    public const string Webhooks = "webhooks";
    public const string Mail = "mail";

    public static IReadOnlyList<string> Targets { get; } = [Stripe, Salto, Webhooks, Mail];

    private readonly Lock _lock = new();
    private readonly List<FaultRule> _rules = [];
    private int _lastId;

    public IReadOnlyList<FaultRule> Rules
    {
        get
        {
            lock (_lock)
            {
                return [.. _rules];
            }
        }
    }

    public FaultRule Add(FaultRule rule)
    {
        lock (_lock)
        {
            rule = rule with { Id = $"fault_{++_lastId}", Hits = 0 };
            _rules.Add(rule);
            return rule;
        }
    }

    /// <summary>Takes back one rule, or all of them when <paramref name="id"/> is null.</summary>
    public int Remove(string? id)
    {
        lock (_lock)
        {
            return _rules.RemoveAll(r => id is null || r.Id == id);
        }
    }

    /// <summary>The first rule that applies, counted as having happened; null when nothing is to go wrong.</summary>
    public FaultRule? Take(string target, string method, string path, string body = "")
    {
        lock (_lock)
        {
            int index = _rules.FindIndex(r => r.Applies(target, method, path, body));
            if (index < 0)
            {
                return null;
            }

            FaultRule rule = _rules[index] with { Hits = _rules[index].Hits + 1 };
            if (rule.Times <= rule.Hits)
            {
                _rules.RemoveAt(index);
            }
            else
            {
                _rules[index] = rule;
            }

            return rule;
        }
    }
}
