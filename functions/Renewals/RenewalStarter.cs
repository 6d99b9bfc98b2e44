using DurableTask.Core.Exceptions;
using Flex.Memberships;
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
    // Every finished status: an instance id means once ever. Unfinished ones are refused in any case.
    private static readonly OrchestrationRuntimeStatus[] Finished =
    [
        OrchestrationRuntimeStatus.Completed, OrchestrationRuntimeStatus.Failed, OrchestrationRuntimeStatus.Terminated,
        OrchestrationRuntimeStatus.Running, OrchestrationRuntimeStatus.Pending, OrchestrationRuntimeStatus.Suspended,
    ];

    /// <summary>For the daily run: starts what is due without loading it. A stale entry costs one look.</summary>
    public static Task StartDueAsync(DurableTaskClient client, DueMembership due, CancellationToken cancellation) =>
        StartAsync(client, new RenewalInput(due.Id, due.On, due.Run, 0), cancellation);

    /// <summary>For changes outside the renewals: raises the event, or starts the orchestration when none is running and something is due.</summary>
    public async Task LookAsync(DurableTaskClient client, RenewalLook look, CancellationToken cancellation)
    {
        Stored<Membership>? stored = await memberships.FindAsync(look.MembershipId, cancellation);
        if (stored?.Value is not { DueOn: not null } membership)
        {
            return;
        }

        RenewalInput input = InputOf(membership);
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

    private static RenewalInput InputOf(Membership membership) =>
        new(membership.Id, membership.Ladder?.PeriodStart ?? membership.DueOn!.Value, membership.Run, 0);

    private static async Task<bool> StartAsync(DurableTaskClient client, RenewalInput input, CancellationToken cancellation)
    {
        StartOrchestrationOptions options = new StartOrchestrationOptions(
            RenewalNames.RenewalInstance(input.MembershipId, input.PeriodStart, input.Run)).WithDedupeStatuses(Finished);
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
