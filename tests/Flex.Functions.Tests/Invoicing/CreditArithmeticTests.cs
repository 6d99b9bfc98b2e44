using CsCheck;
using Flex.Invoicing;
using Flex.Kernel;
using Flex.Settings;
using NodaTime;
using Xunit;

namespace Flex.Functions.Tests.Invoicing;

/// <summary>What credit notes take from an invoice: never more than it was, and in the end exactly that.</summary>
public sealed class CreditArithmeticTests
{
    private static readonly Currency Cad = Currency.Parse("cad");
    private static readonly LocalDate Today = new(2025, 1, 1);
    private static readonly Instant Now = Instant.FromUtc(2025, 1, 1, 12, 0);

    [Fact]
    [Trait("Rule", "INV-12")]
    public void A_whole_line_takes_its_net_and_its_share_of_each_tax()
    {
        Invoice invoice = Issued(Line(10007, ("GST", 5m), ("QST", 9.975m)));

        CreditLine credited = Assert.Single(CreditArithmetic.OfLine(invoice, [], 0, null));

        Assert.Equal([10007, 500, 998], [credited.Net.Minor, .. credited.Taxes.Select(t => t.Minor)]);
    }

    [Fact]
    [Trait("Rule", "INV-12")]
    public void Parts_of_a_line_are_cumulated_so_that_the_last_takes_the_exact_rest()
    {
        Invoice invoice = Issued(Line(10007, ("GST", 5m), ("QST", 9.975m)));
        var notes = new List<CreditNote>();
        foreach (long net in new long[] { 3333, 3333, 9999 })
        {
            notes.Add(Note(invoice, notes, CreditArithmetic.OfLine(invoice, notes, 0, new Money(net, Cad))));
        }

        // Cumulated 3333 and 6666 of 10007: GST 166.53 and 333.07 cents, QST 332.40 and 664.80.
        Assert.Equal([3333, 3333, 3341], notes.Select(n => n.Net.Minor));
        Assert.Equal([167, 166, 167], notes.Select(n => n.Taxes[0].Amount.Minor));
        Assert.Equal([332, 333, 333], notes.Select(n => n.Taxes[1].Amount.Minor));
        Assert.Equal(invoice.Total.Minor, notes.Sum(n => n.Total.Minor));
        Assert.Empty(CreditArithmetic.OfLine(invoice, notes, 0, null));
    }

    [Fact]
    [Trait("Rule", "INV-12")]
    public void Amounts_with_tax_are_split_cumulated_by_largest_remainder()
    {
        Invoice invoice = Issued(Line(10007, ("GST", 5m), ("QST", 9.975m)));
        var notes = new List<CreditNote>();
        foreach (long gross in new long[] { 5000, 5000, 5000 })
        {
            notes.Add(Note(invoice, notes, CreditArithmetic.OfGross(invoice, notes, new Money(gross, Cad))));
        }

        // 5000 of 11505: 4348.98 + 217.30 + 433.72; 10000: 8697.96 + 434.59 + 867.45; the third completes it.
        Assert.Equal([4349, 4349, 1309], notes.Select(n => n.Net.Minor));
        Assert.Equal([217, 218, 65], notes.Select(n => n.Taxes[0].Amount.Minor));
        Assert.Equal([434, 433, 131], notes.Select(n => n.Taxes[1].Amount.Minor));
    }

    [Fact]
    [Trait("Rule", "INV-12")]
    public void A_line_is_never_credited_for_more_than_the_invoice_is_worth()
    {
        Invoice invoice = Issued(Line(10000), Line(-4000));

        Assert.Equal(6000, CreditArithmetic.OfLine(invoice, [], 0, null).Sum(l => l.Net.Minor));
        Assert.Empty(CreditArithmetic.OfLine(invoice, [], 1, null));
    }

    [Fact]
    [Trait("Rule", "INV-12")]
    public void No_sequence_of_notes_takes_more_than_there_was_and_completing_it_takes_exactly_the_rest_of_every_component()
    {
        Gen<(long Net, int Taxes)> line = Gen.Select(Gen.Long[1, 20_000], Gen.Int[0, 3], (net, taxes) => (net, taxes));
        Gen<(int Line, long Amount, bool Gross)> step = Gen.Select(Gen.Int[0, 4], Gen.Long[1, 12_000], Gen.Bool, (l, a, g) => (l, a, g));
        Gen.Select(line.Array[1, 4], step.Array[0, 8]).Sample((lines, steps) =>
        {
            Invoice invoice = Issued([.. lines.Select(l => Line(l.Net, Taxes(l.Taxes)))]);
            var notes = new List<CreditNote>();
            foreach ((int at, long amount, bool gross) in steps)
            {
                long left = invoice.Total.Minor - notes.Sum(n => n.Total.Minor);
                IReadOnlyList<CreditLine> taken = gross
                    ? CreditArithmetic.OfGross(invoice, notes, new Money(amount, Cad))
                    : CreditArithmetic.OfLine(invoice, notes, at % lines.Length, new Money(amount, Cad));
                Assert.All(taken, l => Assert.True(l.Net.Minor >= 0 && l.Taxes.All(t => t.Minor >= 0)));
                if (taken.Count > 0)
                {
                    notes.Add(Note(invoice, notes, taken));
                }

                Assert.True(!gross || left - Math.Min(left, amount) == invoice.Total.Minor - notes.Sum(n => n.Total.Minor));
            }

            IReadOnlyList<CreditLine> rest = CreditArithmetic.OfAll(invoice, notes);
            if (rest.Count > 0)
            {
                notes.Add(Note(invoice, notes, rest));
            }

            Assert.Equal(invoice.Net.Minor, notes.Sum(n => n.Net.Minor));
            Assert.Equal(invoice.Taxes.Select(t => t.Amount.Minor), invoice.Taxes.Select((_, i) => notes.Sum(n => n.Taxes[i].Amount.Minor)));
            Assert.Empty(CreditArithmetic.OfGross(invoice, notes, new Money(1, Cad)));
        });
    }

    private static (string, decimal)[] Taxes(int which) => which switch
    {
        0 => [],
        1 => [("GST", 5m)],
        2 => [("QST", 9.975m)],
        _ => [("GST", 5m), ("QST", 9.975m)],
    };

    private static CreditNote Note(Invoice invoice, List<CreditNote> before, IReadOnlyList<CreditLine> lines) => CreditRules.Issue(
        BookEntry.Issued(invoice),
        before,
        lines,
        new CreditTerms(EntityId.Derive<CreditNoteId>($"{before.Count}"), "test", "test", Refund: false),
        Today,
        Now).Note;

    private static Invoice Issued(params InvoiceLine[] lines) => new InvoiceDraft(
        EntityId.Parse<InvoiceId>("inv_" + new string('1', 26)),
        InvoiceKind.BillRun,
        EntityId.Parse<CustomerId>("cus_" + new string('1', 26)),
        null,
        lines[0].LocationId,
        "Ada",
        "ada@example.com",
        null,
        lines,
        Today,
        Today,
        "Bill Run").Issue(Now);

    private static InvoiceLine Line(long net, params (string Name, decimal Percent)[] components) => new(
        "Room",
        1,
        new Money(net, Cad),
        new Money(net, Cad),
        EntityId.Parse<LocationId>("loc_" + new string('1', 26)),
        new TaxSnapshot(EntityId.Parse<TaxRateId>("tax_" + new string('1', 26)), "Rate", [.. components.Select(c => new TaxComponent(c.Name, c.Percent))]),
        null,
        null,
        Today);
}
