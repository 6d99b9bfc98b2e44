using DurableTask.Core.Exceptions;
using Flex.Memberships;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace Flex.Renewals;

/// <summary>
/// Starts a period's orchestration, once ever, or tells the one that runs to look again. Both are only hints: whether money
/// may move is decided by the membership's row.
/// </summary>
public sealed class RenewalStarter(MembershipStore memberships)
{
    // An instance id means once ever. One that failed or was terminated has not done its work, so the next hour may replace it;
    // the membership's row keeps it from charging twice. Unfinished ones are refused in any case.
    private static readonly OrchestrationRuntimeStatus[] Done =
    [
        OrchestrationRuntimeStatus.Completed, OrchestrationRuntimeStatus.Running, OrchestrationRuntimeStatus.Pending, OrchestrationRuntimeStatus.Suspended,
    ];

    /// <summary>For the daily run: starts what is due without loading it. A stale entry costs one look.</summary>
    public static Task StartDueAsync(DurableTaskClient client, DueMembership due, string? correlationId, CancellationToken cancellation) =>
        StartAsync(client, new RenewalInput(due.Id, due.On, due.Run, 0, correlationId), cancellation);

    /// <summary>For changes outside the renewals: raises the event, or starts the orchestration when none is running and something is due.</summary>
    public async Task LookAsync(DurableTaskClient client, Envelope envelope, CancellationToken cancellation)
    {
        RenewalLook look = envelope.Read<RenewalLook>();
        if (await memberships.FindAsync(look.MembershipId, cancellation) is not { Value: { DueOn: { } due } membership })
        {
            return;
        }

        var input = new RenewalInput(membership.Id, due, membership.Run, 0, envelope.CorrelationId);
        if (!await StartAsync(client, input, cancellation))
        {
            string instance = RenewalNames.RenewalInstance(input.MembershipId, input.PeriodStart, input.Run);
            OrchestrationMetadata? running = await client.GetInstanceAsync(instance, cancellation: cancellation);
            if (running is { RuntimeStatus: OrchestrationRuntimeStatus.Running or OrchestrationRuntimeStatus.Pending or OrchestrationRuntimeStatus.Suspended })
            {
                await client.RaiseEventAsync(instance, look.Because, look.Because, cancellation);
            }
        }
    }

    private static async Task<bool> StartAsync(DurableTaskClient client, RenewalInput input, CancellationToken cancellation)
    {
        StartOrchestrationOptions options = new StartOrchestrationOptions(
            RenewalNames.RenewalInstance(input.MembershipId, input.PeriodStart, input.Run)).WithDedupeStatuses(Done);
        try
        {
            await client.ScheduleNewOrchestrationInstanceAsync(RenewalNames.Renewal, input, options, cancellation);
            return true;
        }
        catch (OrchestrationAlreadyExistsException)
        {
            return false;
        }
    }
}
