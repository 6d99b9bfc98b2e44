using NodaTime;

namespace Flex.Local.Simulators.Stripe;

/// <summary>How the simulated Stripe account behaves. All durations are business time, so simulated time drives them.</summary>
public sealed record StripeOptions
{
    /// <summary>The API version events carry; the release train must be the SDK's or it refuses the event.</summary>
    public const string DefaultApiVersion = "2026-10-28.endive";

    /// <summary>The secret key clients must present; any other key is answered with 401.</summary>
    public string ApiKey { get; init; } = "sk_test_local";

    /// <summary>Where the journal lives (<c>{dir}/stripe/journal.jsonl</c>); null keeps everything in memory.</summary>
    public string? DataDirectory { get; init; }

    /// <summary>Ids follow from this and a counter, so a world with the same seed and calls has the same ids.</summary>
    public ulong Seed { get; init; }

    /// <summary>ISO country of the account, lower-case currency of its balance.</summary>
    public string Country { get; init; } = "US";

    public string DefaultCurrency { get; init; } = "usd";

    /// <summary>Where the adapter is mapped, for URLs in answers, e.g. <c>http://127.0.0.1:7071/local/stripe</c>.</summary>
    public string PublicUrl { get; init; } = "http://127.0.0.1/local/stripe";

    /// <summary>Days until a bank debit is known to have succeeded or failed. Stripe says up to four business days.</summary>
    public int BankSettlementDays { get; init; } = 4;

    /// <summary>Whether <see cref="BankSettlementDays"/> skips Saturdays and Sundays; false counts calendar days.</summary>
    public bool BankSettlementInBusinessDays { get; init; } = true;

    /// <summary>How long after a successful payment the disputing test methods open their dispute.</summary>
    public Duration DisputeDelay { get; init; } = Duration.Zero;

    /// <summary>How long a refund that is pending or will fail stays as it is.</summary>
    public Duration RefundDelay { get; init; } = Duration.FromDays(3);

    /// <summary>Bank debits are refused without a mandate, as Stripe does; false lets a test leave the acceptance out.</summary>
    public bool RequireMandates { get; init; } = true;

    /// <summary>Idempotency keys older than this are forgotten: Stripe keeps them at least 24 hours.</summary>
    public Duration IdempotencyRetention { get; init; } = Duration.FromHours(24);

    /// <summary>Events older than this are forgotten: Stripe's API returns them for 30 days.</summary>
    public Duration EventRetention { get; init; } = Duration.FromDays(30);

    /// <summary>First pause before a webhook is sent again; it doubles up to <see cref="WebhookMaxBackoff"/>.</summary>
    public Duration WebhookFirstBackoff { get; init; } = Duration.FromMinutes(1);

    public Duration WebhookMaxBackoff { get; init; } = Duration.FromHours(6);

    /// <summary>Stripe stops retrying a delivery three days after the event.</summary>
    public Duration WebhookGiveUpAfter { get; init; } = Duration.FromDays(3);

    /// <summary>Injected latency at or above this loses the answer after the effect: the SDK's HTTP timeout is 80 seconds.</summary>
    public Duration ClientTimeout { get; init; } = Duration.FromSeconds(80);

    /// <summary>Endpoints configured outside the API, e.g. Flex's own. They are part of the listing but not of the journal.</summary>
    public IReadOnlyList<StripeEndpoint> Endpoints { get; init; } = [];
}

/// <summary>
/// A webhook endpoint given by configuration. <paramref name="Name"/> makes its id (<c>we_{name}</c>), so deliveries that
/// wait in the journal find the endpoint again when its port changed. Each delivery is signed once per secret.
/// </summary>
public sealed record StripeEndpoint(string Name, Uri Url, IReadOnlyList<string> Secrets, IReadOnlyList<string> EnabledEvents);
