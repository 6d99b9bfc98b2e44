using Flex.Platform;

namespace Flex.Payments;

/// <summary>The connection to Stripe. Without an API key no gateway is connected.</summary>
public sealed class StripeSettings : ISettings
{
    public const string Section = "Stripe";

    private const string WebhookSecretStart = "whsec_";

    /// <summary>A secret or restricted key; from the key vault.</summary>
    public string ApiKey { get; init; } = string.Empty;

    /// <summary>Empty is Stripe itself; locally the simulator.</summary>
    public string ApiBase { get; init; } = string.Empty;

    /// <summary>The signing secret of the webhook endpoint.</summary>
    public string WebhookSecret { get; init; } = string.Empty;

    /// <summary>A second secret that is accepted too, while the first is being rolled.</summary>
    public string WebhookSecretNext { get; init; } = string.Empty;

    /// <summary>True in production: events of the other mode are accepted and ignored.</summary>
    public bool Livemode { get; init; }

    /// <summary>How keys start: secret and restricted ones, of either mode. Source: docs.stripe.com/keys</summary>
    private IEnumerable<string> KeyStarts() => Livemode ? ["sk_live_", "rk_live_"] : ["sk_test_", "rk_test_"];

    public IEnumerable<SettingFault> Faults()
    {
        if (ApiKey.Length > 0 && !KeyStarts().Any(start => ApiKey.StartsWith(start, StringComparison.Ordinal)))
        {
            yield return new(nameof(ApiKey), $"must start with {string.Join(" or ", KeyStarts())}, because {Section}__{nameof(Livemode)} is {(Livemode ? "true" : "false")}.");
        }

        if (ApiKey.Length == 0 && (WebhookSecret.Length > 0 || WebhookSecretNext.Length > 0))
        {
            yield return SettingFault.Missing(nameof(ApiKey), "webhooks are of no use without it");
        }

        if (WebhookSecret.Length == 0 && (ApiKey.Length > 0 || WebhookSecretNext.Length > 0))
        {
            yield return SettingFault.Missing(nameof(WebhookSecret), "without it nothing is learnt of payments");
        }

        foreach ((string name, string secret) in new[] { (nameof(WebhookSecret), WebhookSecret), (nameof(WebhookSecretNext), WebhookSecretNext) })
        {
            if (secret.Length > 0 && (!secret.StartsWith(WebhookSecretStart, StringComparison.Ordinal) || secret.Length == WebhookSecretStart.Length))
            {
                yield return new(name, $"must be a signing secret, which starts with {WebhookSecretStart}.");
            }
        }

        if (WebhookSecretNext.Length > 0 && WebhookSecretNext == WebhookSecret)
        {
            yield return new(nameof(WebhookSecretNext), $"must differ from {Section}__{nameof(WebhookSecret)}.");
        }

        foreach (SettingFault fault in ApiBase.Length == 0 ? [] : SettingFault.OfAddress(nameof(ApiBase), ApiBase))
        {
            yield return fault;
        }
    }
}
