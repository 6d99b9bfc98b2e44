using CsCheck;
using Flex.Invoicing;
using Flex.Kernel;
using Flex.Settings;
using NodaTime;
using Xunit;

namespace Flex.Functions.Tests.Invoicing;

/// <summary>Taxes are rounded per component; parts always sum.</summary>
public sealed class InvoiceArithmeticTests
{
    private static readonly Currency Cad = Currency.Parse("cad");
    private static readonly LocationId Somewhere = EntityId.Parse<LocationId>("loc_" + new string('1', 26));
    private static readonly TaxRateId Rate = EntityId.Parse<TaxRateId>("tax_" + new string('1', 26));

    private static readonly string[] Names = ["GST", "QST", "VAT"];

    [Fact]
    [Trait("Rule", "INV-7")]
    public void Each_component_is_rounded_on_its_own_and_the_total_is_their_sum()
    {
        InvoiceTotals totals = InvoiceArithmetic.Totals([Line(10007, ("GST", 5m), ("QST", 9.975m))], Cad);

        Assert.Equal([500, 998], totals.Taxes.Select(t => t.Amount.Minor));
        Assert.Equal(11505, totals.Total.Minor);
    }

    [Fact]
    [Trait("Rule", "INV-7")]
    public void A_component_is_rounded_once_on_the_net_of_all_its_lines_whatever_rate_it_came_with()
    {
        // Three times 0.10 at 5 % would be three times 0.01 if rounded by line (half away from zero).
        InvoiceTotals totals = InvoiceArithmetic.Totals(
            [Line(10, ("GST", 5m)), Line(10, ("GST", 5m), ("QST", 9.975m)), Line(10, ("GST", 5m)), Line(10, ("GST", 7m))], Cad);

        Assert.Equal(
            [("GST", 5m, 30L, 2L), ("QST", 9.975m, 10L, 1L), ("GST", 7m, 10L, 1L)],
            totals.Taxes.Select(t => (t.Name, t.Percent, t.Taxable.Minor, t.Amount.Minor)));
        Assert.Equal(44, totals.Total.Minor);
    }

    [Fact]
    [Trait("Rule", "INV-7")]
    public void Ties_in_the_spread_go_to_the_earlier_line()
    {
        InvoiceLine[] lines = [Line(10, ("GST", 5m)), Line(10, ("GST", 5m)), Line(10, ("GST", 5m))];
        TaxAmount tax = InvoiceArithmetic.Totals(lines, Cad).Taxes[0];

        Assert.Equal([1, 1, 0], InvoiceArithmetic.Spread(tax, lines).Select(m => m.Minor));
    }

    [Fact]
    [Trait("Rule", "INV-7")]
    public void Line_taxes_always_sum_to_the_invoice_and_are_at_most_a_unit_off()
    {
        Gen<(string, decimal)> component = Gen.Select(Gen.Int[0, 2].Select(i => Names[i]), Gen.Int[0, 300000], (name, rate) => (name, rate / 10000m));
        Gen<InvoiceLine> line = Gen.Select(Gen.Long[-20000, 1_000_000], component.Array[0, 3], Line);
        line.Array[1, 20].Sample(lines =>
        {
            InvoiceTotals totals = InvoiceArithmetic.Totals(lines, Cad);
            foreach (TaxAmount tax in totals.Taxes)
            {
                IReadOnlyList<Money> parts = InvoiceArithmetic.Spread(tax, lines);
                Assert.Equal(tax.Amount.Minor, parts.Sum(p => p.Minor));
                for (int i = 0; i < lines.Length; i++)
                {
                    int times = lines[i].Tax!.Components.Count(c => c.Name == tax.Name && c.Percent == tax.Percent);
                    Assert.True(Math.Abs(parts[i].Minor - (lines[i].Net.Minor * times * tax.Percent / 100m)) <= 1m);
                }
            }

            Assert.Equal(totals.Net.Minor + totals.Taxes.Sum(t => t.Amount.Minor), totals.Total.Minor);
        });
    }

    private static InvoiceLine Line(long net, params (string Name, decimal Percent)[] components) => new(
        "Thing",
        1,
        new Money(net, Cad),
        new Money(net, Cad),
        Somewhere,
        new TaxSnapshot(Rate, "Rate", [.. components.Select(c => new TaxComponent(c.Name, c.Percent))]),
        null,
        null,
        new LocalDate(2025, 1, 1));
}
