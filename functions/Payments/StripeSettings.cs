namespace Flex.Payments;

/// <summary>The connection to Stripe. Without an API key no gateway is connected.</summary>
public sealed class StripeSettings
{
    public const string Section = "Stripe";

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
}
