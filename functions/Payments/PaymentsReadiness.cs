using Flex.Platform.Health;

namespace Flex.Payments;

/// <summary>Whether the gateway answers us. An operator who has connected none misses nothing.</summary>
public sealed class PaymentsReadiness(IPaymentGateway gateway) : IReadinessCheck
{
    public string Dependency => Dependencies.Payments;

    public Task CheckAsync(CancellationToken cancellation) => gateway.IsConnected ? gateway.PingAsync(cancellation) : Task.CompletedTask;
}
