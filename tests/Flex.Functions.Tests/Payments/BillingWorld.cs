using Flex.Invoicing;
using Flex.Kernel;
using Flex.Local.Runtime.Storage;
using Flex.Members;
using Flex.Payments;
using Flex.Platform;
using Flex.Platform.Blobs;
using Flex.Platform.Http;
using Flex.Platform.Identity;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using Flex.Settings;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using NodaTime;
using Xunit;

namespace Flex.Functions.Tests.Payments;

/// <summary>Invoicing and payments on memory tables, a hand-pumped broker, a scripted gateway and a clock that stands still.</summary>
public sealed class BillingWorld : IDisposable
{
    public static readonly Currency Eur = Currency.Parse("eur");

    private readonly ServiceProvider _services;
    private int _ids;

    public BillingWorld(Func<OperatorSettings, OperatorSettings>? settings = null, Action<IServiceCollection>? configure = null)
    {
        Broker = new PumpedBroker(Time);
        var services = new ServiceCollection();
        services.AddSingleton<TimeProvider>(Time);
        services.AddSingleton<ILoggerFactory>(NullLoggerFactory.Instance);
        services.AddSingleton(typeof(ILogger<>), typeof(NullLogger<>));
        services.AddSingleton<ITableStore>(Tables);
        services.AddSingleton<ITableScanner>(Tables);
        services.AddSingleton<IMessagePublisher>(Broker);
        services.AddSingleton<IBlobStore, MemoryBlobStore>();
        services.AddPlatformStorage().AddSettings().AddMembers().AddInvoicing().AddPayments(new ConfigurationBuilder().Build());
        services.AddSingleton<IPaymentGateway>(Gateway);
        services.AddSingleton(Stripe);
        configure?.Invoke(services);
        _services = services.BuildServiceProvider();
        Location = Seed(settings ?? (s => s));
    }

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2025, 1, 1, 12, 0, 0, TimeSpan.Zero));

    public MemoryTableStore Tables { get; } = new();

    public FakeGateway Gateway { get; } = new();

    public PumpedBroker Broker { get; }

    public StripeSettings Stripe { get; } = new() { ApiKey = "sk_test_1", WebhookSecret = "whsec_one", WebhookSecretNext = "whsec_two" };

    public LocationId Location { get; }

    public InvoiceBook Book => Get<InvoiceBook>();

    public static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static Money Euro(long cents) => new(cents, Eur);

    public T Get<T>()
        where T : notnull => _services.GetRequiredService<T>();

    public string NextId() => $"{++_ids:D26}";

    public static RequestContext Staff(string? key = null) => new(
        new Caller(Role.Staff, "staff-1"), key is null ? null : new RequestKey("staff", key, RequestKey.Hash([])), null, "corr");

    public static RequestContext MemberOf(MemberId member, string? key = null) => new(
        new Caller(Role.Member, "member-1", member), key is null ? null : new RequestKey("member", key, RequestKey.Hash([])), null, "corr");

    public async Task<Customer> CustomerAsync(string? paymentMethod = "pm_good")
    {
        var customer = new Customer(
            EntityId.Parse<CustomerId>("cus_" + NextId()),
            "Ada",
            "ada@example.com",
            "PO-7",
            paymentMethod is null ? null : "cus_gw",
            paymentMethod is null ? null : new PaymentMethodOnFile(paymentMethod, PaymentMethodKind.Card, "visa", "4242"),
            1);
        (await Tables.CommitAsync(CustomerStore.Insert(customer), Cancellation)).Require();
        return customer;
    }

    public async Task<Member> MemberAsync(Customer customer)
    {
        var member = new Member(EntityId.Parse<MemberId>("mbr_" + NextId()), customer.Id, Location, "ada@example.com", "Ada", "L", [], 1);
        (await Tables.CommitAsync(MemberStore.Insert(member), Cancellation)).Require();
        return member;
    }

    public ChargeCreated Charge(Customer customer, long cents = 1000, string currency = "eur") => new(
        EntityId.Derive<ChargeId>("charge" + NextId(), EntityId.Home(customer.Id)),
        customer.Id,
        null,
        Location,
        "bkg",
        "Meeting room",
        new Money(cents, Currency.Parse(currency)),
        null,
        new LocalDate(2025, 1, 2),
        Time.Now());

    public MembershipCharge Renewal(Customer customer, InvoiceKind kind = InvoiceKind.Renewal, long cents = 10000, int attemptNo = 1) => new(
        EntityId.Parse<InvoiceId>("inv_" + NextId()),
        kind,
        new MembershipPeriod(Membership, new LocalDate(2025, 1, 1), 0, attemptNo, 1),
        customer.Id,
        EntityId.Parse<MemberId>("mbr_" + new string('7', 26)),
        Location,
        "Membership Fixed Desk",
        Euro(cents),
        null,
        null);

    public async Task<TaxRateId> TaxRateAsync(params decimal[] percents)
    {
        var rate = new TaxRate(
            EntityId.Parse<TaxRateId>("tax_" + NextId()), "Tax", [.. percents.Select((percent, i) => new TaxComponent($"Tax {i}", percent))], 1);
        (await Tables.CommitAsync(SettingsStore.Insert(rate), Cancellation)).Require();
        return rate.Id;
    }

    /// <summary>Charges the customer and bills them at once.</summary>
    public async Task<Invoice> BillAsync(Customer customer, params ChargeCreated[] charges)
    {
        foreach (ChargeCreated charge in charges)
        {
            await SendAsync(Queues.Billing, ChargeCreated.Subject, charge);
        }

        await RunBillsAsync(customer);
        return (await InvoicesAsync(customer))[0];
    }

    public async Task RunBillsAsync(Customer customer)
    {
        await Get<StartBillRun>().HandleAsync(new BillRunRequest(customer.Id), Staff("key" + NextId()), Cancellation);
        await PumpAsync();
    }

    public Task CancelAsync(ChargeCreated charge) =>
        SendAsync(Queues.Billing, ChargeCancelled.Subject, new ChargeCancelled(charge.ChargeId, charge.CustomerId, "cancelled in time"));

    public Task ReduceAsync(ChargeCreated charge, long by, string id = "r1") =>
        SendAsync(Queues.Billing, ChargeReduced.Subject, new ChargeReduced(charge.ChargeId, charge.CustomerId, id, Euro(by), "shorter"));

    /// <summary>Pays with the card on file.</summary>
    public Task PayAsync(InvoiceId invoice) => Get<PayInvoice>().HandleAsync(invoice, Staff("pay" + NextId()), Cancellation);

    public async Task<long> AccountAsync(Customer customer) => (await Book.AccountAsync(customer.Id, Eur, Cancellation)).Account.Balance.Minor;

    public Task<IReadOnlyList<CreditNote>> NotesAsync(InvoiceId invoice) => Book.NotesAsync(invoice, Cancellation);

    /// <summary>Something that is paid as it is bought; a booking stands for a charge.</summary>
    public ImmediateCharge Purchase(
        Customer customer, ImmediatePurpose purpose = ImmediatePurpose.BookingPass, long cents = 1000, decimal quantity = 1) => new(
        EntityId.Parse<InvoiceId>("inv_" + NextId()),
        purpose,
        "source-" + NextId(),
        customer.Id,
        EntityId.Parse<MemberId>("mbr_" + new string('7', 26)),
        Location,
        "Meeting room",
        quantity,
        Euro(cents),
        null,
        purpose == ImmediatePurpose.Booking ? EntityId.Derive<ChargeId>("charge" + NextId(), EntityId.Home(customer.Id)) : null,
        new LocalDate(2025, 1, 2));

    public static MembershipId Membership { get; } = EntityId.Parse<MembershipId>("mem_" + new string('8', 32));

    public async Task SendAsync<T>(string queue, string subject, T body)
    {
        await Broker.PublishAsync(queue, new Envelope("msg" + NextId(), subject, StorageJson.Write(body), null), null, Cancellation);
        await PumpAsync();
    }

    /// <summary>Delivers everything that is due, sweeps included, until nothing is.</summary>
    public Task PumpAsync() => Broker.PumpAsync(Get<MessageDispatcher>(), Cancellation);

    public async Task<Invoice> InvoiceAsync(InvoiceId id) => (await EntryAsync(id)).Invoice;

    public async Task<BookEntry> EntryAsync(InvoiceId id) => (await Book.FindAsync(id, Cancellation))!.Entry;

    public async Task<IReadOnlyList<Invoice>> InvoicesAsync(Customer customer) =>
        [.. (await Book.ListAsync(customer.Id, null, 1000, Cancellation)).Select(i => i.Entry.Invoice)];

    public async Task HoldsAsync() => Assert.Empty(await Get<BillingAudit>().CheckAsync(Cancellation));

    public void Dispose() => _services.Dispose();

    private LocationId Seed(Func<OperatorSettings, OperatorSettings> settings)
    {
        var location = new Location(EntityId.Parse<LocationId>("loc_" + new string('9', 26)), "Lab", "Europe/Berlin", Eur, 1);
        OperatorSettings operatorSettings = settings(OperatorSettings.Initial with
        {
            AccountStatus = AccountStatus.Active,
            AutomaticBillRun = true,
            AutomaticCollection = true,
            Version = 1,
        });
        Tables.CommitAsync(SettingsStore.Save(operatorSettings, null), CancellationToken.None).GetAwaiter().GetResult().Require();
        Tables.CommitAsync(SettingsStore.Insert(location), CancellationToken.None).GetAwaiter().GetResult().Require();
        return location.Id;
    }
}

/// <summary>A broker that keeps messages until it is told to deliver; a failing delivery comes back, ten times at most.</summary>
public sealed class PumpedBroker(FakeTimeProvider time) : IMessagePublisher
{
    private readonly List<(Instant Due, string Queue, Envelope Message, int Deliveries)> _waiting = [];

    /// <summary>Queues nobody here consumes: their messages are facts for others.</summary>
    public List<Envelope> Memberships { get; } = [];

    public List<Envelope> Bookings { get; } = [];

    public List<(string Queue, Envelope Message, Exception Fault)> Dead { get; } = [];

    public int Published { get; private set; }

    public Exception? Fault { get; set; }

    public IReadOnlyList<(Instant Due, string Queue, Envelope Message, int Deliveries)> Waiting => _waiting;

    public Task PublishAsync(string queue, Envelope message, Duration? delay, CancellationToken cancellation)
    {
        if (Fault is not null)
        {
            return Task.FromException(Fault);
        }

        Published++;
        if (queue == Queues.Memberships)
        {
            Memberships.Add(message);
        }
        else if (queue == Queues.Bookings)
        {
            Bookings.Add(message);
        }
        else
        {
            _waiting.Add((time.Now() + (delay ?? Duration.Zero), queue, message, 0));
        }

        return Task.CompletedTask;
    }

    public IReadOnlyList<MembershipPaymentSettled> Settled() =>
        [.. Memberships.Where(m => m.Subject == MembershipPaymentSettled.Subject).DistinctBy(m => m.Id).Select(m => m.Read<MembershipPaymentSettled>())];

    /// <summary>What bookings were told, each message once, in the order of first publication.</summary>
    public IReadOnlyList<T> Told<T>(string subject) =>
        [.. Bookings.Where(m => m.Subject == subject).DistinctBy(m => m.Id).Select(m => m.Read<T>())];

    /// <summary>Takes waiting messages away, as if they were late.</summary>
    public IReadOnlyList<Envelope> Take(string subject)
    {
        Envelope[] taken = [.. _waiting.Where(m => m.Message.Subject == subject).Select(m => m.Message)];
        _waiting.RemoveAll(m => m.Message.Subject == subject);
        return taken;
    }

    public async Task PumpAsync(MessageDispatcher dispatcher, CancellationToken cancellation)
    {
        for (int next = Due(); next >= 0; next = Due())
        {
            (Instant due, string queue, Envelope message, int deliveries) = _waiting[next];
            _waiting.RemoveAt(next);
            try
            {
                await dispatcher.DispatchAsync(queue, StorageJson.Write(message), cancellation);
            }
            catch (Exception fault) when (fault is TransientFaultException or DefectException or InjectedCrashException)
            {
                if (deliveries + 1 >= Queues.MaxDeliveryCount)
                {
                    Dead.Add((queue, message, fault));
                }
                else
                {
                    _waiting.Add((due, queue, message, deliveries + 1));
                }
            }
        }
    }

    private int Due() => _waiting.FindIndex(m => m.Due <= time.Now());
}

public sealed class InjectedCrashException : Exception
{
    public InjectedCrashException()
    {
    }

    public InjectedCrashException(string message)
        : base(message)
    {
    }

    public InjectedCrashException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
