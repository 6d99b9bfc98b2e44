using System.Globalization;
using System.Text.Json.Nodes;
using Flex.Local.Runtime.Scheduling;
using NodaTime;

namespace Flex.Local.Simulators.Stripe;

/// <summary>
/// A stateful Stripe account: the endpoints Flex calls with Stripe's test payment methods, independent of any transport.
/// One lock serialises requests and later work, so an answer is always one committed unit of work. Later effects (bank
/// debits, disputes, refunds, webhook deliveries) are rows in the journal that <see cref="Work"/> offers to the scheduler.
/// </summary>
public sealed class StripeSimulator : IDisposable
{
    private readonly Lock gate = new();
    private readonly StripeWorld world;
    private readonly StripeIdempotency idempotency;
    private readonly StripeRoutes api = new();
    private readonly StripeRoutes control = new();
    private readonly StripeWork work;

    /// <param name="options">The account's settings.</param>
    /// <param name="time">Business time; all dates and delays follow it.</param>
    /// <param name="webhooks">Sends webhook deliveries; disposed by its owner.</param>
    /// <param name="signal">Told when work was scheduled; null when the scheduler asks by itself.</param>
    /// <param name="faults">What goes wrong; nothing by default.</param>
    public StripeSimulator(StripeOptions options, TimeProvider time, HttpMessageInvoker webhooks, IWorkSignal? signal = null, IStripeFaults? faults = null)
    {
        Options = options;
        world = new StripeWorld(new StripeStore(options.DataDirectory), options, time, faults ?? NoStripeFaults.Instance);
        idempotency = new StripeIdempotency(world);
        var methods = new PaymentMethods(world);
        var payments = new Payments(world, methods);
        var setups = new Setups(world, methods);
        var refunds = new Refunds(world);
        var disputes = new Disputes(world);
        var terminal = new Terminal(world, methods, payments, setups, refunds);
        new CustomerEndpoints(world, methods).Map(api);
        new PaymentMethodEndpoints(world, methods).Map(api);
        new PaymentIntentEndpoints(world, methods, payments).Map(api);
        new SetupIntentEndpoints(world, methods, setups).Map(api);
        new ChargeEndpoints(world, refunds, disputes).Map(api);
        new TerminalEndpoints(world, terminal).Map(api);
        new EventEndpoints(world).Map(api);
        new ControlEndpoints(world, payments, setups, refunds, disputes).Map(control);
        var effects = new StripeEffects(payments, refunds, disputes, RunLate);
        work = new StripeWork(world, gate, effects, webhooks, signal);
    }

    public StripeOptions Options { get; }

    /// <summary>Deliveries and later effects, for the scheduler.</summary>
    public IWorkSource Work => work;

    /// <summary>What goes wrong from now on.</summary>
    public IStripeFaults Faults
    {
        get
        {
            lock (gate)
            {
                return world.Faults;
            }
        }

        set
        {
            lock (gate)
            {
                world.Faults = value;
            }
        }
    }

    /// <summary>Answers one request to <c>/v1/…</c> or <c>/control/…</c>. The state is journalled before this returns.</summary>
    public StripeReply Handle(StripeRequest request)
    {
        StripeReply reply;
        lock (gate)
        {
            try
            {
                Prune();
                world.Store.Commit();
                reply = request.Path.StartsWith("/control/", StringComparison.Ordinal) ? Controlled(request) : Answer(request, world.Faults.OnRequest(request));
                world.Store.Commit();
            }
            catch
            {
                world.Store.Rollback();
                throw;
            }
        }

        work.Signal();
        return reply;
    }

    /// <summary>All payments, charges, refunds and disputes, for audits of a running world.</summary>
    public StripeAudit Audit()
    {
        lock (gate)
        {
            return StripeAudit.Of(world.Store);
        }
    }

    /// <summary>The whole state as one text, equal for equal states: what a restart must reproduce.</summary>
    public string Snapshot()
    {
        lock (gate)
        {
            return StripeAudit.Text(world.Store);
        }
    }

    public void Dispose()
    {
        lock (gate)
        {
            world.Store.Dispose();
        }
    }

    private StripeReply Answer(StripeRequest request, StripeFault? fault)
    {
        string requestId = world.NewId("req");
        if (fault?.Kind == StripeFaultKind.LostBeforeEffect)
        {
            return StripeReplies.Lost(requestId);
        }

        string? key = StripeIdempotency.KeyOf(request);
        try
        {
            StripeAuthorization.Check(request, Options.ApiKey);
            if (fault?.Kind == StripeFaultKind.RateLimited)
            {
                throw StripeProblem.RateLimited(fault.Code ?? "endpoint-rate");
            }

            if (key is not null && idempotency.Find(key, request) is { } kept)
            {
                return Replayed(request, requestId, kept, fault);
            }
        }
        catch (StripeProblem problem)
        {
            return StripeReplies.Of(request, requestId, problem);
        }

        return fault is null ? Executed(request, requestId, key) : Faulty(request, requestId, key, fault);
    }

    /// <summary>A kept result, which can be lost or fail on its way like the first one.</summary>
    private StripeReply Replayed(StripeRequest request, string requestId, KeyRow kept, StripeFault? fault)
    {
        StripeReply replay = StripeReplies.Of(request, requestId, kept.Status!.Value, kept.Body!);
        replay = replay with { Headers = StripeReplies.With(replay.Headers, ("Idempotent-Replayed", "true"), ("Original-Request", kept.RequestId!)) };
        return fault?.Kind switch
        {
            StripeFaultKind.LostAfterEffect or StripeFaultKind.LateEffect => replay with { Lost = true },
            StripeFaultKind.Latency => replay with { Lost = fault.Delay >= Options.ClientTimeout },
            StripeFaultKind.ServerErrorBeforeEffect or StripeFaultKind.ServerErrorAfterEffect =>
                StripeReplies.Of(request, requestId, StripeProblem.ServerError(fault.Status)),
            _ => replay,
        };
    }

    private StripeReply Executed(StripeRequest request, string requestId, string? key)
    {
        (StripeReply reply, bool storable) = Execute(api, request, requestId, key);
        if (key is not null && storable)
        {
            idempotency.Keep(key, request, requestId, reply.Status, reply.Body);
        }

        return reply;
    }

    private StripeReply Faulty(StripeRequest request, string requestId, string? key, StripeFault fault)
    {
        switch (fault.Kind)
        {
            case StripeFaultKind.LostAfterEffect:
                return Executed(request, requestId, key) with { Lost = true };
            case StripeFaultKind.Latency:
                StripeReply slow = Executed(request, requestId, key);
                string milliseconds = ((long)fault.Delay.TotalMilliseconds).ToString(CultureInfo.InvariantCulture);
                slow = slow with { Headers = StripeReplies.With(slow.Headers, ("Simulated-Latency", milliseconds)) };
                return slow with { Lost = fault.Delay >= Options.ClientTimeout };
            case StripeFaultKind.LateEffect when request.Method != "GET":
                return Postponed(request, requestId, key, fault.Delay);
            case StripeFaultKind.LateEffect:
                return StripeReplies.Lost(requestId);
            case StripeFaultKind.ServerErrorAfterEffect or StripeFaultKind.RefusedAfterEffect:
                _ = Executed(request, requestId, key);
                break;
        }

        StripeProblem problem = fault.Kind switch
        {
            StripeFaultKind.RefusedBeforeEffect or StripeFaultKind.RefusedAfterEffect => fault.Code == "lock_timeout"
                ? StripeProblem.RateLimited("lock_timeout")
                : StripeProblem.Invalid($"Simulated refusal: {fault.Code}.", null, fault.Code),
            _ => StripeProblem.ServerError(fault.Status),
        };
        StripeReply failed = StripeReplies.Of(request, requestId, problem);
        if (key is not null && problem.Storable)
        {
            idempotency.Keep(key, request, requestId, failed.Status, failed.Body);
        }

        return failed;
    }

    /// <summary>The answer is lost at once, the effect comes later; meanwhile the key is in use.</summary>
    private StripeReply Postponed(StripeRequest request, string requestId, string? key, Duration delay)
    {
        if (key is not null)
        {
            idempotency.Keep(key, request, requestId, null, null);
        }

        var headers = key is null ? new Dictionary<string, string>() : new Dictionary<string, string> { ["Idempotency-Key"] = key };
        world.Schedule(new WorkRow
        {
            Id = world.NewId("work"),
            Kind = StripeWorkKinds.LateRequest,
            Due = world.Now + delay,
            Target = requestId,
            Request = request with { Headers = headers },
        });
        return StripeReplies.Lost(requestId);
    }

    private void RunLate(WorkRow late)
    {
        string? key = StripeIdempotency.KeyOf(late.Request!);
        (StripeReply reply, bool storable) = Execute(api, late.Request!, late.Target, key);
        if (key is not null && storable)
        {
            idempotency.Keep(key, late.Request!, late.Target, reply.Status, reply.Body);
        }
        else if (key is not null)
        {
            world.Store.Keys.Delete(key);
        }
    }

    private StripeReply Controlled(StripeRequest request) => Execute(control, request, world.NewId("req"), null).Reply;

    private (StripeReply Reply, bool Storable) Execute(StripeRoutes routes, StripeRequest request, string requestId, string? key)
    {
        world.Request = (requestId, key);
        try
        {
            if (routes.Find(request.Method, request.Path) is not { } route)
            {
                throw new StripeProblem(404, "invalid_request_error", $"Unrecognized request URL ({request.Method}: {request.Path}). " +
                    "Please see https://stripe.com/docs or we can help at https://support.stripe.com/.")
                { Storable = false };
            }

            StripeParams p = StripeParams.Parse(request.Query, request.Body);
            JsonObject body = route.Handler(new StripeCall(request, route.Values, p));
            world.Render.Expand(body, p.List("expand") ?? []);
            return (StripeReplies.Of(request, requestId, 200, body.ToJsonString(StripeJson.Options)), true);
        }
        catch (StripeProblem problem)
        {
            if (!problem.Keep)
            {
                world.Store.Rollback();
            }

            return (StripeReplies.Of(request, requestId, problem), problem.Storable);
        }
        finally
        {
            world.Request = null;
        }
    }

    private void Prune()
    {
        idempotency.Prune();
        long oldest = (world.Now - Options.EventRetention).ToUnixTimeSeconds();
        while (world.Store.Events.Oldest is { Pending: 0 } happened && happened.Created < oldest)
        {
            world.Store.Events.Delete(happened.Id);
        }
    }
}
