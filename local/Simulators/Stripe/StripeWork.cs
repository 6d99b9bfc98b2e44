using Flex.Local.Runtime.Scheduling;
using NodaTime;

namespace Flex.Local.Simulators.Stripe;

/// <summary>What due work does, except deliveries: each runs under the lock and is one unit of work.</summary>
internal sealed class StripeEffects(Payments payments, Refunds refunds, Disputes disputes, Action<WorkRow> late)
{
    public void Run(WorkRow work)
    {
        switch (work.Kind)
        {
            case StripeWorkKinds.SettleDebit:
                payments.SettleDebit(work.Target);
                break;
            case StripeWorkKinds.OpenDispute:
                disputes.OpenAnnounced(work.Target);
                break;
            case StripeWorkKinds.SettleRefund:
                refunds.Settle(work.Target);
                break;
            case StripeWorkKinds.ExpireAuthorization:
                payments.ExpireAuthorization(work.Target);
                break;
            case StripeWorkKinds.LateRequest:
                late(work);
                break;
            default:
                throw new InvalidOperationException($"Unknown work '{work.Kind}'.");
        }
    }
}

/// <summary>
/// Offers the journal's later work to the scheduler. Work taken is remembered in memory only: after a crash it is due
/// again, which repeats a delivery but never an effect, because an effect and its removal are one unit of work.
/// </summary>
internal sealed class StripeWork(StripeWorld world, Lock gate, StripeEffects effects, HttpMessageInvoker webhooks, IWorkSignal? signal) : IWorkSource
{
    private readonly HashSet<string> taken = [];
    private readonly StripeDeliveries deliveries = new(world);

    public string Name => "stripe";

    public Instant? NextDue
    {
        get
        {
            lock (gate)
            {
                return Next()?.Due;
            }
        }
    }

    public WorkItem? Take(Instant now)
    {
        lock (gate)
        {
            if (Next() is not { } next || next.Due > now)
            {
                return null;
            }

            taken.Add(next.Id);
            return new WorkItem($"stripe {next.Kind} {next.Target}", cancel => RunAsync(next, cancel));
        }
    }

    public void Signal() => signal?.Changed();

    private WorkRow? Next() => world.Store.DueWork.FirstOrDefault(row => !taken.Contains(row.Id));

    private async Task RunAsync(WorkRow row, CancellationToken cancel)
    {
        try
        {
            if (row.Kind == StripeWorkKinds.Deliver)
            {
                await DeliverAsync(row, cancel);
            }
            else
            {
                Commit(() =>
                {
                    effects.Run(row);
                    world.Store.Work.Delete(row.Id);
                });
            }
        }
        finally
        {
            lock (gate)
            {
                taken.Remove(row.Id);
            }

            Signal();
        }
    }

    private async Task DeliverAsync(WorkRow row, CancellationToken cancel)
    {
        HttpRequestMessage? request;
        lock (gate)
        {
            request = deliveries.Prepare(row);
        }

        bool delivered = false;
        if (request is not null)
        {
            using (request)
            {
                delivered = await SendAsync(request, cancel);
            }
        }

        Commit(() => deliveries.Record(row, delivered));
    }

    private async Task<bool> SendAsync(HttpRequestMessage request, CancellationToken cancel)
    {
        try
        {
            using HttpResponseMessage response = await webhooks.SendAsync(request, cancel);
            return response.IsSuccessStatusCode;
        }
        catch (Exception e) when (e is HttpRequestException or IOException || (e is OperationCanceledException && !cancel.IsCancellationRequested))
        {
            return false;
        }
    }

    private void Commit(Action change)
    {
        lock (gate)
        {
            try
            {
                change();
                world.Store.Commit();
            }
            catch
            {
                world.Store.Rollback();
                throw;
            }
        }
    }
}
