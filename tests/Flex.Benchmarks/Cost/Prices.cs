using System.Text.Json;

namespace Flex.Benchmarks.Cost;

/// <summary>One price.</summary>
/// <param name="Per">How many units cost that.</param>
/// <param name="Free">Units a month that cost nothing.</param>
/// <param name="Certain">False where it was not read from the seller.</param>
internal sealed record Price(decimal Amount, decimal Per, string Unit, decimal Free, string Source, bool Certain)
{
    /// <summary>What a month's quantity costs: what is above the free part, in fractions of a unit too.</summary>
    public decimal Of(decimal quantity) => Math.Max(0, quantity - Free) * Amount / Per;
}

/// <summary>The price table, <c>docs/prices.json</c>.</summary>
internal sealed class Prices
{
    public const string File = "docs/prices.json";

    private readonly Dictionary<string, Price> _byName = [];

    private Prices(JsonElement root)
    {
        AsOf = root.GetProperty("asOf").GetString()!;
        Currency = root.GetProperty("currency").GetString()!;
        Region = root.GetProperty("region").GetString()!;
        JsonElement functions = root.GetProperty("functions");
        MinimumSeconds = functions.GetProperty("minimumSeconds").GetDecimal();
        StepSeconds = functions.GetProperty("stepSeconds").GetDecimal();
        foreach (JsonProperty entry in root.EnumerateObject().Concat(functions.EnumerateObject()).Where(e => e.Value.ValueKind == JsonValueKind.Object && e.Value.TryGetProperty("price", out _)))
        {
            _byName[entry.Name] = new Price(
                entry.Value.GetProperty("price").GetDecimal(),
                entry.Value.GetProperty("per").GetDecimal(),
                entry.Value.GetProperty("unit").GetString()!,
                entry.Value.GetProperty("free").GetDecimal(),
                entry.Value.GetProperty("source").GetString()!,
                entry.Value.GetProperty("certain").GetBoolean());
        }
    }

    public string AsOf { get; }

    public string Currency { get; }

    public string Region { get; }

    /// <summary>A function that runs for less is billed for this long.</summary>
    public decimal MinimumSeconds { get; }

    /// <summary>Above the minimum, time is billed in such steps.</summary>
    public decimal StepSeconds { get; }

    public IReadOnlyDictionary<string, Price> All => _byName;

    public Price this[string name] => _byName[name];

    public static Prices Parse(string json)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        return new Prices(document.RootElement);
    }
}
