using System.Text.Json.Nodes;
using NodaTime;

namespace Flex.Local.Simulators.Stripe;

/// <summary>What endpoints and effects work with: the store, the clock, fresh ids, events and later work.</summary>
internal sealed class StripeWorld(StripeStore store, StripeOptions options, TimeProvider time, IStripeFaults faults)
{
    private readonly StripeRenderer renderer = new(store, options);

    public StripeStore Store { get; } = store;

    public StripeOptions Options { get; } = options;

    public IStripeFaults Faults { get; set; } = faults;

    public StripeRenderer Render => renderer;

    public Instant Now => time.Now();

    public long Seconds => Now.ToUnixTimeSeconds();

    /// <summary>The API request being answered, for the events it causes; null while later work runs.</summary>
    public (string Id, string? Key)? Request { get; set; }

    public string NewId(string prefix) => StripeIds.Make(prefix, Options.Seed, Store.NextNumber());

    public string Secret(string id) => $"{id}_secret_{NewId("s")[2..]}";

    /// <summary>Records an event about the object as it is now and schedules its deliveries.</summary>
    public void Emit(string type, StripeRow about, JsonObject? previous = null)
    {
        var copies = new List<(string Endpoint, Duration Delay)>();
        string id = NewId("evt");
        foreach ((string endpoint, IReadOnlyList<string> enabled) in StripeEndpoints.Active(this))
        {
            if (enabled.Contains(type) || enabled.Contains("*"))
            {
                copies.AddRange(Faults.OnDelivery(new StripeDelivery(id, type, about.Id, endpoint)).Select(delay => (endpoint, delay)));
            }
        }

        Store.Events.Put(new EventRow
        {
            Id = id,
            Created = Seconds,
            Type = type,
            ObjectId = about.Id,
            Snapshot = renderer.Object(about).ToJsonString(StripeJson.Options),
            Previous = previous?.ToJsonString(StripeJson.Options),
            RequestId = Request?.Id,
            IdempotencyKey = Request?.Key,
            Pending = copies.Count,
        });
        foreach ((string endpoint, Duration delay) in copies)
        {
            Schedule(new WorkRow { Id = NewId("work"), Kind = StripeWorkKinds.Deliver, Due = Now + delay, Target = id, Endpoint = endpoint });
        }
    }

    /// <summary>An <c>….updated</c> event with the top-level fields that changed; none when nothing changed.</summary>
    public void EmitChange(string type, StripeRow before, StripeRow after)
    {
        JsonObject old = renderer.Object(before);
        JsonObject now = renderer.Object(after);
        var previous = new JsonObject();
        foreach ((string name, JsonNode? value) in old)
        {
            if (!JsonNode.DeepEquals(value, now[name]))
            {
                previous[name] = value?.DeepClone();
            }
        }

        if (previous.Count > 0)
        {
            Emit(type, after, previous);
        }
    }

    public void Schedule(WorkRow work) => Store.Work.Put(work);

    public void Later(string kind, string target, Instant due) =>
        Schedule(new WorkRow { Id = NewId("work"), Kind = kind, Due = due, Target = target });

    /// <summary>When a bank debit submitted now is known: the configured number of days later, at the same time of day.</summary>
    public Instant BankSettlement()
    {
        LocalDateTime at = Now.InUtc().LocalDateTime;
        for (int left = Options.BankSettlementDays; left > 0; left--)
        {
            do
            {
                at = at.PlusDays(1);
            }
            while (Options.BankSettlementInBusinessDays && at.DayOfWeek is IsoDayOfWeek.Saturday or IsoDayOfWeek.Sunday);
        }

        return at.InUtc().ToInstant();
    }
}

internal static class StripeWorkKinds
{
    public const string Deliver = "deliver";
    public const string SettleDebit = "settle_debit";
    public const string OpenDispute = "open_dispute";
    public const string SettleRefund = "settle_refund";
    public const string ExpireAuthorization = "expire_authorization";
    public const string LateRequest = "late_request";
}
