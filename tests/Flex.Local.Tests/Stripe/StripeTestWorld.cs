using System.Net;
using Flex.Kernel;
using Flex.Local.Runtime.Scheduling;
using Flex.Local.Simulators.Stripe;
using Microsoft.Extensions.Time.Testing;
using NodaTime;
using Stripe;
using Xunit;

namespace Flex.Local.Tests.Stripe;

/// <summary>A simulated account on simulated time, the real SDK talking to it in process, and a receiver of webhooks.</summary>
internal sealed class StripeTestWorld : IDisposable
{
    public const string Key = "sk_test_local";
    public const string Secret = "whsec_configured";

    private readonly HttpClient http;

    public StripeTestWorld(StripeOptions? options = null, Instant? start = null)
    {
        Start = start ?? Instant.FromUtc(2026, 3, 2, 9, 0);
        Time = new FakeTimeProvider(Start.ToDateTimeOffset());
        Options = options ?? new StripeOptions { Endpoints = [new StripeEndpoint("flex", new Uri("http://flex.test/webhooks/stripe"), [Secret], ["*"])] };
        Simulator = new StripeSimulator(Options, Time, new HttpMessageInvoker(Receiver));
        http = new HttpClient(new StripeSimulatorHandler(Simulator));
        Client = NewClient(Key);
    }

    public Instant Start { get; }

    public FakeTimeProvider Time { get; }

    public StripeOptions Options { get; }

    public StripeSimulator Simulator { get; }

    public StripeClient Client { get; }

    /// <summary>Every call of the SDK ends with the test run.</summary>
    public static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public V1Services V1 => Client.V1;

    public WebhookReceiver Receiver { get; } = new();

    public StripeClient NewClient(string key) => new(key, httpClient: new SystemNetHttpClient(http, maxNetworkRetries: 0, enableTelemetry: false),
        apiBase: "http://simulator.test/local/stripe");

    /// <summary>Moves time and runs all work that falls due on the way, in order.</summary>
    public async Task Advance(Duration by)
    {
        Instant until = Time.Now() + by;
        await RunUntil(until);
        Time.SetUtcNow(until.ToDateTimeOffset());
    }

    public Task Settle() => RunUntil(Time.Now());

    public StripeReply Control(string path, string form = "") =>
        Simulator.Handle(new global::Flex.Local.Simulators.Stripe.StripeRequest("POST", "/control/" + path, string.Empty, form, new Dictionary<string,
            string>()));

    public StripeReply Post(string path, string form, string? idempotencyKey = null) =>
        Simulator.Handle(new global::Flex.Local.Simulators.Stripe.StripeRequest("POST", path, string.Empty, form, Headers(idempotencyKey)));

    public StripeReply Get(string path, string query = "") => Simulator.Handle(new global::Flex.Local.Simulators.Stripe.StripeRequest("GET", path, query,
        string.Empty, Headers(null)));

    /// <summary>A customer with the test method attached and made the default.</summary>
    public async Task<(Customer Customer, PaymentMethod Method)> CustomerWith(string testMethod)
    {
        Customer customer = await V1.Customers.CreateAsync(new CustomerCreateOptions { Name = "Ada", Email = "ada@example.com" });
        PaymentMethod method = await V1.PaymentMethods.AttachAsync(testMethod, new PaymentMethodAttachOptions { Customer = customer.Id });
        return (customer, method);
    }

    public static PaymentIntentCreateOptions OffSession(Customer customer, PaymentMethod method, long amount = 2500, string currency = "usd") => new()
    {
        Amount = amount,
        Currency = currency,
        Customer = customer.Id,
        PaymentMethod = method.Id,
        OffSession = true,
        Confirm = true,
        AllowedPaymentMethodTypes = [method.Type],
        Metadata = new Dictionary<string, string> { ["attempt_id"] = "att_1" },
    };

    public Task<PaymentIntent> Charge(Customer customer, PaymentMethod method, string currency = "usd") =>
        V1.PaymentIntents.CreateAsync(OffSession(customer, method, currency: currency), cancellationToken: Cancel);

    /// <summary>A customer whose bank account was set up with a mandate.</summary>
    public async Task<(Customer Customer, PaymentMethod Method)> CustomerWithBank(string testMethod)
    {
        Customer customer = await V1.Customers.CreateAsync(new CustomerCreateOptions { Name = "Ada" });
        SetupIntent setup = await V1.SetupIntents.CreateAsync(new SetupIntentCreateOptions
        {
            Customer = customer.Id,
            PaymentMethod = testMethod,
            AllowedPaymentMethodTypes = ["us_bank_account"],
            Confirm = true,
            MandateData = new SetupIntentMandateDataOptions
            {
                CustomerAcceptance = new SetupIntentMandateDataCustomerAcceptanceOptions
                {
                    Type = "online",
                    Online = new SetupIntentMandateDataCustomerAcceptanceOnlineOptions { IpAddress = "127.0.0.1", UserAgent = "test" },
                },
            },
        });
        return (customer, await V1.PaymentMethods.GetAsync(setup.PaymentMethodId));
    }

    public void Dispose()
    {
        http.Dispose();
        Simulator.Dispose();
        Receiver.Dispose();
    }

    private static Dictionary<string, string> Headers(string? idempotencyKey)
    {
        var headers = new Dictionary<string, string> { ["Authorization"] = "Bearer " + Key };
        if (idempotencyKey is not null)
        {
            headers["Idempotency-Key"] = idempotencyKey;
        }

        return headers;
    }

    private async Task RunUntil(Instant until)
    {
        while (Simulator.Work.NextDue is { } due && due <= until)
        {
            if (due > Time.Now())
            {
                Time.SetUtcNow(due.ToDateTimeOffset());
            }

            WorkItem item = Simulator.Work.Take(Time.Now()) ?? throw new InvalidOperationException("Due work must be there to take.");
            await item.Run(CancellationToken.None);
        }
    }
}

/// <summary>What Flex's webhook endpoint would see; <see cref="Status"/> decides each answer.</summary>
internal sealed class WebhookReceiver : HttpMessageHandler
{
    public List<ReceivedWebhook> Received { get; } = [];

    public Func<ReceivedWebhook, HttpStatusCode> Status { get; set; } = static _ => HttpStatusCode.OK;

    public IEnumerable<string> Types => Received.Select(webhook => webhook.Event.Type);

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        string body = await request.Content!.ReadAsStringAsync(cancellationToken);
        var webhook = new ReceivedWebhook(request.RequestUri!, body, string.Join(",", request.Headers.GetValues("Stripe-Signature")),
            EventUtility.ParseEvent(body));
        Received.Add(webhook);
        return new HttpResponseMessage(Status(webhook));
    }
}

internal sealed record ReceivedWebhook(Uri Url, string Body, string Signature, Event Event);
