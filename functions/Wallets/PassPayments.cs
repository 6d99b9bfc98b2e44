using Flex.Payments;
using Flex.Platform.Tables;
using Microsoft.Extensions.Logging;
using NodaTime;

namespace Flex.Wallets;

/// <summary>
/// Applies what becomes of the payments of passes: the request's own outcome, and the message that follows it in any case and finishes
/// what a crash between payment and pass has left.
/// </summary>
public sealed class PassPayments(WalletStore wallets, ILogger<PassPayments> log)
{
    private const int MaxRounds = 100;

    /// <summary>For payments of <see cref="ImmediatePurpose.BookingPass"/>. Repeats and older news change nothing.</summary>
    public Task SettleAsync(ImmediatePaymentSettled settled, CancellationToken cancellation) =>
        ApplyAsync(settled.MemberId, new ChargeOutcome(settled.InvoiceId, settled.State, settled.FailureCode, settled.At), cancellation);

    /// <summary>The purchase as it is then. Two reads, one commit.</summary>
    public async Task<PassPurchase> ApplyAsync(MemberId member, ChargeOutcome outcome, CancellationToken cancellation)
    {
        for (int round = 0; round < MaxRounds; round++)
        {
            Stored<PassPurchase> stored = await wallets.ReadPurchaseAsync(member, outcome.InvoiceId, cancellation)
                ?? throw new DefectException($"{outcome.InvoiceId} pays for passes that {member} has not bought.");
            StoredWallet wallet = await wallets.ReadAsync(member, cancellation);
            if (stored.Value.Settle(outcome.State, outcome.FailureCode, outcome.At, wallet.Wallet) is not { } settled)
            {
                return stored.Value;
            }

            TableBatch batch = WalletStore.Put(WalletStore.Batch(member), settled.Purchase, stored.ETag);
            if (await wallets.TryCommitAsync(WalletStore.Put(batch, settled.Wallet, wallet.ETag), cancellation))
            {
                Report(settled.Purchase, settled.Wallet);
                return settled.Purchase;
            }
        }

        throw new TransientFaultException($"The wallet of {member} keeps changing.");
    }

    private void Report(PassPurchase purchase, Wallet wallet)
    {
        if (purchase.State == PassPurchaseState.Reversed)
        {
            log.LogWarning(
                "The payment {InvoiceId} for booking passes was taken back: they are removed. {Minutes} minutes of them had been used.",
                purchase.InvoiceId,
                wallet.Passes.Where(p => p.InvoiceId == purchase.InvoiceId).Sum(p => p.UsedMinutes));
        }
    }
}
