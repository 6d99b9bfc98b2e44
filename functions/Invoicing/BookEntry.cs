using Flex.Members;
using NodaTime;

namespace Flex.Invoicing;

/// <summary>
/// An invoice with its payment attempts: one document, so that both change together or not at all and one version guards the
/// payment lease.
/// </summary>
/// <param name="CollectOn">Local day from which automatic collection may try (again); null is never.</param>
/// <param name="Refunds">Money sent back, oldest first.</param>
public sealed record BookEntry(Invoice Invoice, IReadOnlyList<PaymentAttempt> Attempts, LocalDate? CollectOn, IReadOnlyList<Refund> Refunds)
{
    /// <summary>Automatic collection tries four times at most, on different days, like a membership's ladder.</summary>
    public const int MaxCollections = 4;

    /// <summary>The attempt that holds the payment lease.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public PaymentAttempt? InFlight => Attempts is [.., { InFlight: true } last] ? last : null;

    /// <summary>An invoice just issued: to be collected on its due date, unless whoever sells it sees to that.</summary>
    public static BookEntry Issued(Invoice invoice) =>
        new(invoice, [], invoice.Due.IsPositive && !invoice.IsPaidAtOnce() ? invoice.DueDate : null, []);

    public PaymentAttempt Attempt(int no) => Attempts[no - 1];

    /// <summary>Takes the lease and records an attempt for all that is due.</summary>
    public Result<BookEntry> Start(AttemptStart start, Instant now)
    {
        Result<Invoice> started = Invoice.StartPayment();
        if (started.IsError)
        {
            return started.Error;
        }

        int no = Attempts.Count + 1;
        var attempt = new PaymentAttempt(
            no,
            start.Origin,
            Invoice.Due,
            AttemptState.Created,
            start.Key ?? $"invoice:{Invoice.Id}:{no}",
            start.RequestKey,
            start.GatewayCustomerId,
            start.PaymentMethodId,
            start.MethodKind,
            null,
            null,
            null,
            null,
            now,
            now);
        return this with { Invoice = started.Value, Attempts = [.. Attempts, attempt] };
    }

    /// <summary>
    /// Applies an observation of one attempt, forward only: the same entry when it is not news. The order in which observations
    /// arrive, and how often, does not change where the entry ends.
    /// </summary>
    /// <param name="today">The local day at the invoice's location.</param>
    public BookEntry Observe(int no, PaymentObservation seen, LocalDate today, Instant now)
    {
        PaymentAttempt before = Attempt(no);
        PaymentAttempt after = before.Observe(seen, now);
        if (ReferenceEquals(before, after))
        {
            return this;
        }

        string code = after.FailureCode ?? "unspecified";
        Invoice invoice = (before.State, after.State) switch
        {
            (_, AttemptState.Failed) => Invoice.Fail(code, Stands),
            (_, AttemptState.Succeeded) => Invoice.Succeed(after.Amount),
            (AttemptState.Succeeded, AttemptState.Reversed) => Invoice.Reverse(after.Amount, code),
            (_, AttemptState.Reversed) => Invoice.Succeed(after.Amount).Reverse(after.Amount, code),
            _ => Invoice,
        };
        BookEntry next = (this with { Invoice = invoice, Attempts = [.. Attempts.Select(a => a.No == no ? after : a)] }).Counted();
        return next with { CollectOn = next.NextCollection(after, today) };
    }

    /// <summary>A credit note has taken an amount off what is due, and some of what was paid is to go back.</summary>
    public BookEntry Credit(Money receivable, IReadOnlyList<Refund> refunds)
    {
        BookEntry next = (this with { Invoice = Invoice.Credit(receivable) }).Refunding(refunds);
        return next.Invoice.Due.IsPositive ? next : next with { CollectOn = null };
    }

    public BookEntry Refunding(IReadOnlyList<Refund> refunds) => (this with { Refunds = [.. Refunds, .. refunds] }).Counted();

    /// <summary>Applies an observation of one refund, forward only: the same entry when it is not news.</summary>
    public BookEntry ObserveRefund(int no, RefundObservation seen, Instant now)
    {
        Refund before = Refunds[no - 1];
        Refund after = before.Observe(seen, now);
        return ReferenceEquals(before, after) ? this : (this with { Refunds = [.. Refunds.Select(r => r.No == no ? after : r)] }).Counted();
    }

    /// <summary>The gateway was asked about a refund and had no news.</summary>
    public BookEntry LookedAtRefund(int no) => this with { Refunds = [.. Refunds.Select(r => r.No == no ? r with { Looks = r.Looks + 1 } : r)] };

    /// <summary>The gateway was asked about an attempt and had no news.</summary>
    public BookEntry Looked(int no) => this with { Attempts = [.. Attempts.Select(a => a.No == no ? a with { Looks = a.Looks + 1 } : a)] };

    /// <summary>True for an invoice that has no number and must have one: at issue, but those that a failed payment ends only once they are paid.</summary>
    public bool NeedsNumber(bool onIssue) => Invoice.Number is null && Invoice.State != DocumentState.Draft && (onIssue || Stands);

    /// <summary>True once no failed payment can end the invoice any more; from then on for good.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public bool Stands => !Invoice.IsPaidAtOnce()
        || Invoice.Settlement == Settlement.Paid
        || Attempts.Any(a => a.State is AttemptState.Succeeded or AttemptState.Reversed);

    /// <summary>The payment to collect now, on its own initiative.</summary>
    public bool IsToBeCollected(LocalDate today) =>
        CollectOn <= today && InFlight is null && Invoice is { State: DocumentState.Issued, Due.IsPositive: true };

    /// <summary>Refunded is what has gone back of the payments that were kept: of one taken back nothing was.</summary>
    private BookEntry Counted() => this with
    {
        Invoice = Invoice.Settle(Refunds
            .Where(r => r.State == RefundState.Succeeded && Attempt(r.AttemptNo).State == AttemptState.Succeeded)
            .Aggregate(Money.Zero(Invoice.Total.Currency), (sum, r) => sum + r.Amount)),
    };

    private LocalDate? NextCollection(PaymentAttempt changed, LocalDate today)
    {
        if (CollectOn is null || Invoice is not { State: DocumentState.Issued, Due.IsPositive: true })
        {
            return null;
        }

        return changed switch
        {
            // A payment that was taken back is for people to sort out; a card whose bank says never again is not asked again.
            { State: AttemptState.Reversed } or { AdviceCode: "do_not_try_again" } => null,
            { State: AttemptState.Failed } when Attempts.Count(a => a.Origin == AttemptOrigin.Collection) >= MaxCollections => null,
            { State: AttemptState.Failed, Origin: AttemptOrigin.Collection } => today.PlusDays(1),
            _ => CollectOn,
        };
    }
}

/// <summary>What a new attempt is made with.</summary>
/// <param name="Key">The gateway key; null for <c>invoice:{id}:{no}</c>.</param>
public sealed record AttemptStart(
    AttemptOrigin Origin, string? Key, string? RequestKey, string? GatewayCustomerId, string? PaymentMethodId, PaymentMethodKind? MethodKind);
