using NodaTime;

namespace Flex.Local.Simulators.Stripe;

/// <summary>
/// All state of the account. Callers hold the simulator's lock; a unit of work ends with <see cref="Commit"/>, which writes
/// the journal first, or with <see cref="Rollback"/>.
/// </summary>
internal sealed class StripeStore : IDisposable
{
    private readonly StripeChanges changes = new();
    private readonly SortedSet<(Instant Due, long Order, string Id)> due = [];
    private readonly Dictionary<string, IStripeTable> tables;
    private readonly StripeJournal? journal;

    /// <summary>Opens the account kept in <paramref name="directory"/>; null keeps it in memory, read-only never writes.</summary>
    public StripeStore(string? directory, bool readOnly = false)
    {
        Customers = new("customer", changes);
        PaymentMethods = new("payment_method", changes, null, ("customer", row => row.Customer));
        Mandates = new("mandate", changes, null, ("payment_method", row => row.PaymentMethod));
        PaymentIntents = new("payment_intent", changes, null, ("customer", row => row.Customer));
        Charges = new("charge", changes, null, ("customer", row => row.Customer), ("payment_intent", row => row.PaymentIntent));
        Refunds = new("refund", changes, null, ("charge", row => row.Charge), ("payment_intent", row => row.PaymentIntent));
        Disputes = new("dispute", changes, null, ("charge", row => row.Charge), ("payment_intent", row => row.PaymentIntent));
        SetupIntents = new("setup_intent", changes, null, ("customer", row => row.Customer));
        SetupAttempts = new("setup_attempt", changes, null, ("setup_intent", row => row.SetupIntent));
        Locations = new("terminal.location", changes);
        Readers = new("terminal.reader", changes, null, ("location", row => row.Location));
        Endpoints = new("webhook_endpoint", changes);
        Events = new("event", changes);
        Keys = new("idempotency_key", changes);
        Work = new("work", changes, Reschedule);
        tables = new IStripeTable[]
        {
            Customers, PaymentMethods, Mandates, PaymentIntents, Charges, Refunds, Disputes, SetupIntents, SetupAttempts,
            Locations, Readers, Endpoints, Events, Keys, Work,
        }.ToDictionary(table => table.Kind);
        if (directory is not null)
        {
            string path = StripeJournal.PathIn(directory);
            changes.Counter = StripeJournal.Replay(path, tables);
            journal = readOnly ? null : StripeJournal.Compact(path, tables.Values, changes.Counter);
        }
    }

    public StripeTable<CustomerRow> Customers { get; }

    public StripeTable<PaymentMethodRow> PaymentMethods { get; }

    public StripeTable<MandateRow> Mandates { get; }

    public StripeTable<PaymentIntentRow> PaymentIntents { get; }

    public StripeTable<ChargeRow> Charges { get; }

    public StripeTable<RefundRow> Refunds { get; }

    public StripeTable<DisputeRow> Disputes { get; }

    public StripeTable<SetupIntentRow> SetupIntents { get; }

    public StripeTable<SetupAttemptRow> SetupAttempts { get; }

    public StripeTable<LocationRow> Locations { get; }

    public StripeTable<ReaderRow> Readers { get; }

    public StripeTable<EndpointRow> Endpoints { get; }

    public StripeTable<EventRow> Events { get; }

    public StripeTable<KeyRow> Keys { get; }

    public StripeTable<WorkRow> Work { get; }

    /// <summary>Work in the order it falls due; work due at one instant in the order it was scheduled.</summary>
    public IEnumerable<WorkRow> DueWork => due.Select(entry => Work.Get(entry.Id));

    public IEnumerable<IStripeTable> Tables => tables.Values;

    public long NextNumber() => changes.Next();

    public void Commit()
    {
        if (changes.Pending.Count > 0)
        {
            journal?.Append(changes.Pending, changes.Counter);
            changes.Clear();
        }
    }

    public void Rollback() => changes.Undo();

    public void Dispose() => journal?.Dispose();

    private void Reschedule(WorkRow? before, WorkRow? after)
    {
        if (before is not null)
        {
            due.Remove((before.Due, before.Order, before.Id));
        }

        if (after is not null)
        {
            due.Add((after.Due, after.Order, after.Id));
        }
    }
}
