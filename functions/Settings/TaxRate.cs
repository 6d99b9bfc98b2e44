using System.Text.Json.Serialization;

namespace Flex.Settings;

/// <summary>A tax rate of one or more components, each owed on its own; the rate is their sum.</summary>
public sealed record TaxRate(TaxRateId Id, string Name, IReadOnlyList<TaxComponent> Components, long Version)
{
    [JsonIgnore]
    public decimal Percent => Components.Sum(c => c.Percent);
}

/// <param name="Percent">0 to 100, up to four decimals, e.g. 9.975.</param>
public sealed record TaxComponent(string Name, decimal Percent);
