using System.Text.Json;
using Flex.Platform;
using NodaTime;

namespace Flex.Local.Simulators.Stripe;

/// <summary>
/// What the account knows about money, oldest first, to be matched with Flex's own records. Amounts are in Stripe's minor
/// units; metadata is what Flex sent.
/// </summary>
public sealed record StripeAudit(
    IReadOnlyList<StripeAuditIntent> PaymentIntents,
    IReadOnlyList<StripeAuditCharge> Charges,
    IReadOnlyList<StripeAuditRefund> Refunds,
    IReadOnlyList<StripeAuditDispute> Disputes)
{
    /// <summary>
    /// Reads the account kept under a data directory without starting anything and without writing; a host may be running
    /// on it. Null when no account is kept there.
    /// </summary>
    public static StripeAudit? Find(string dataDirectory)
    {
        if (!File.Exists(StripeJournal.PathIn(dataDirectory)))
        {
            return null;
        }

        using var store = new StripeStore(dataDirectory, readOnly: true);
        return Of(store);
    }

    internal static StripeAudit Of(StripeStore store) => new(
        [.. store.PaymentIntents.OldestFirst().Select(Of)],
        [.. store.Charges.OldestFirst().Select(Of)],
        [.. store.Refunds.OldestFirst().Select(Of)],
        [.. store.Disputes.OldestFirst().Select(Of)]);

    /// <summary>Every row of every table, one per line.</summary>
    internal static string Text(StripeStore store) => string.Join('\n', store.Tables.SelectMany(table =>
        table.Rows.Select(row => $"{table.Kind} {JsonSerializer.Serialize(row, row.GetType(), StorageJson.Options)}")));

    private static StripeAuditIntent Of(PaymentIntentRow row) => new(
        row.Id, row.Amount, row.AmountReceived, row.Currency, row.Status, row.Customer, row.LatestCharge, At(row), row.Metadata);

    private static StripeAuditCharge Of(ChargeRow row) => new(
        row.Id, row.PaymentIntent, row.Amount, row.AmountCaptured, row.AmountRefunded, row.Currency, row.Status, row.Disputed, row.Customer,
        row.PaymentMethod, At(row), row.Metadata);

    private static StripeAuditRefund Of(RefundRow row) => new(
        row.Id, row.Charge, row.PaymentIntent, row.Amount, row.Currency, row.Status, At(row), row.Metadata);

    private static StripeAuditDispute Of(DisputeRow row) => new(
        row.Id, row.Charge, row.PaymentIntent, row.Amount, row.Currency, row.Reason, row.Status, At(row));

    private static Instant At(StripeRow row) => Instant.FromUnixTimeSeconds(row.Created);
}

/// <summary><paramref name="Status"/> is Stripe's, e.g. <c>succeeded</c>, <c>processing</c>, <c>requires_payment_method</c>.</summary>
public sealed record StripeAuditIntent(string Id, long Amount, long AmountReceived, string Currency, string Status, string? Customer, string? LatestCharge,
    Instant Created, IReadOnlyDictionary<string, string> Metadata);

/// <summary><paramref name="Status"/> is <c>pending</c>, <c>succeeded</c> or <c>failed</c>.</summary>
public sealed record StripeAuditCharge(string Id, string PaymentIntent, long Amount, long AmountCaptured, long AmountRefunded, string Currency, string Status,
    bool Disputed, string? Customer, string PaymentMethod, Instant Created, IReadOnlyDictionary<string, string> Metadata);

public sealed record StripeAuditRefund(string Id, string Charge, string PaymentIntent, long Amount, string Currency, string Status, Instant Created,
    IReadOnlyDictionary<string, string> Metadata);

public sealed record StripeAuditDispute(string Id, string Charge, string PaymentIntent, long Amount, string Currency, string Reason, string Status,
    Instant Created);
