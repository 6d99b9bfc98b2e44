using Flex.Memberships;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;

namespace Flex.Renewals;

/// <summary>Activities of the renewal orchestrations. Each may run more than once.</summary>
public sealed class RenewalActivities(MembershipStore memberships, RenewalStepHandler step)
{
    /// <summary>One storage call's worth of due memberships.</summary>
    public const int PageSize = Platform.Tables.TableLimits.MaxPage;

    [Function(RenewalNames.ListDue)]
    public async Task<List<DueMembership>> ListDue([ActivityTrigger] RenewalDayInput input, CancellationToken cancellation) =>
        [.. await memberships.ListDueAsync(input.LocationId, input.Day, input.After, PageSize, cancellation)];

    [Function(RenewalNames.StartBatch)]
    public static async Task StartBatch([ActivityTrigger] RenewalBatch batch, [DurableClient] DurableTaskClient client, CancellationToken cancellation)
    {
        foreach (DueMembership due in batch.Due)
        {
            await RenewalStarter.StartDueAsync(client, due, batch.CorrelationId, cancellation);
        }
    }

    [Function(RenewalNames.Step)]
    public Task<RenewalStepResult> Step([ActivityTrigger] RenewalInput input, CancellationToken cancellation) => step.HandleAsync(input, cancellation);
}
