using System.Globalization;
namespace Flex.Invoicing;

/// <summary>
/// A numbering series: one per type of document and year of issue. The counter changes only in the transaction that gives a number, so
/// numbers are exactly 1 to n without gaps.
/// </summary>
/// <param name="Next">The number the next document gets.</param>
public sealed record NumberSeries(long Next)
{
    public static NumberSeries Fresh { get; } = new(1);
}

public static class InvoiceNumbers
{
    /// <summary><c>INV-2025-000042</c>: six digits keep the text order up to a million a year, more digits follow.</summary>
    public static string Format(int year, long number) => string.Create(CultureInfo.InvariantCulture, $"INV-{year}-{number:D6}");

    /// <summary><c>CN-2025-000042</c>, likewise.</summary>
    public static string FormatCreditNote(int year, long number) => string.Create(CultureInfo.InvariantCulture, $"CN-{year}-{number:D6}");

    /// <summary>Year and number of a text made by <see cref="Format"/> or <see cref="FormatCreditNote"/>.</summary>
    public static (int Year, long Number) Parse(string number)
    {
        string[] parts = number.Split('-');
        return (int.Parse(parts[1], CultureInfo.InvariantCulture), long.Parse(parts[2], CultureInfo.InvariantCulture));
    }

    /// <summary>The reference of an invoice that has no number (yet): short enough to be said on the phone.</summary>
    public static string Reference(InvoiceId id) => "REF-" + id.Value[^10..].ToUpperInvariant();
}
