using System.Net;
using System.Text.Json.Nodes;
using NodaTime;
using NodaTime.Text;

namespace Flex.Functions.Tests.Simulation;

/// <summary>What the people of a world do: one action at a time, drawn by the dice, each with what may come back.</summary>
internal sealed class Story(SimulatedOperator house)
{
    private static readonly LocalDatePattern Iso = LocalDatePattern.Iso;

    private readonly Dice _dice = new(house.Seed, "story");
    private readonly List<(string Who, string Path, JsonObject Body, string Key, HttpStatusCode Status, string? Id)> _answered = [];
    private readonly List<JsonObject> _slots = [];
    private int _keys;

    /// <summary>How many days of the world the story takes at least.</summary>
    public int Days { get; } = house.Seed % 25 == 0 ? 40 : 9;

    public async Task PlayAsync(Func<Task> afterEachStep)
    {
        foreach (SimulatedMember member in house.Members)
        {
            await CardAsync(member, _dice.Weighted((6, "pm_card_visa"), (2, "pm_card_chargeCustomerFail"), (1, "pm_usBankAccount_success")));
        }

        house.Disturbances.Rival = RivalAsync;
        Instant end = house.World.Now + Duration.FromDays(Days);
        while (house.World.Now < end)
        {
            house.Disturbances.Prepare();
            await StepAsync();
            await afterEachStep();
        }
    }

    /// <summary>What may come at any instant, also in the middle of a renewal: another card, or the end.</summary>
    private async Task RivalAsync(Dice dice)
    {
        SimulatedMember member = dice.Of(house.Members);
        if (dice.Roll(0.7) || member.Memberships.Count == 0)
        {
            await house.TryAsync(
                member.MemberId,
                HttpMethod.Post,
                $"/api/v1/customers/{member.CustomerId}/payment-methods",
                new JsonObject { ["paymentMethod"] = dice.Pick("pm_card_visa", "pm_card_chargeCustomerFail") },
                $"rival-{++_keys}");
            return;
        }

        string id = dice.Of(member.Memberships);
        LocalDate today = house.Calendar.DateOf(house.World.Now);
        await house.TryAsync(
            "staff",
            HttpMethod.Post,
            $"/api/v1/memberships/{id}/cancel",
            new JsonObject { ["on"] = Iso.Format(today) },
            $"rival-{++_keys}",
            version: dice.Between(1, 4));
    }

    private Task StepAsync()
    {
        SimulatedMember member = _dice.Of(house.Members);
        return _dice.Weighted<Func<Task>>(
            (4, () => member.Memberships.Count == 0 || _dice.Roll(0.1) ? BeginAsync(member) : BookAsync(member)),
            (4, () => BookAsync(member)),
            (2, () => CardAsync(member, Card())),
            (1, BillRunAsync),
            (1, () => CancelAsync(member)),
            (1, () => PayAsync(member)),
            (1, RepeatAsync),
            (3, () => AdvanceAsync(Duration.FromMinutes(_dice.Between(1, 90)))),
            (3, () => AdvanceAsync(Duration.FromHours(_dice.Between(2, 20)))),
            (3, () => AdvanceAsync(Duration.FromHours(_dice.Between(24, 72)))))();
    }

    private string Card() => _dice.Weighted(
        (5, "pm_card_visa"),
        (4, "pm_card_chargeCustomerFail"),
        (1, "pm_card_authenticationRequired"),
        (1, "pm_card_chargeDeclined"),
        (2, "pm_usBankAccount_success"),
        (2, "pm_usBankAccount_insufficientFunds"));

    private async Task BeginAsync(SimulatedMember member)
    {
        if (_dice.Roll(0.5))
        {
            await PostAsync(member.MemberId, "memberships/sign-up", new JsonObject { ["planId"] = house.Plan }, member);
            return;
        }

        LocalDate on = house.Calendar.DateOf(house.World.Now).PlusDays(_dice.Between(1, 3));
        await PostAsync(
            "staff",
            "memberships",
            new JsonObject { ["memberId"] = member.MemberId, ["planId"] = house.Plan, ["renewalOn"] = Iso.Format(on) },
            member);
    }

    /// <summary>A free slot, or one that somebody wanted before.</summary>
    private async Task BookAsync(SimulatedMember member)
    {
        JsonObject slot;
        if (_slots.Count > 0 && _dice.Roll(0.35))
        {
            slot = _dice.Of(_slots).DeepClone().AsObject();
        }
        else
        {
            long hour = (house.World.Now.ToUnixTimeSeconds() / 3600) + _dice.Between(1, 200);
            Instant start = Instant.FromUnixTimeSeconds(hour * 3600) + Duration.FromMinutes(30 * _dice.Between(0, 1));
            slot = new JsonObject
            {
                ["resourceId"] = house.Room,
                ["start"] = InstantPattern.General.Format(start),
                ["end"] = InstantPattern.General.Format(start + Duration.FromMinutes(30 * _dice.Between(1, 9))),
            };
            _slots.Add(slot);
        }

        await PostAsync(member.MemberId, "bookings", slot.DeepClone().AsObject());
    }

    private Task CardAsync(SimulatedMember member, string card) =>
        PostAsync(member.MemberId, $"customers/{member.CustomerId}/payment-methods", new JsonObject { ["paymentMethod"] = card });

    private Task BillRunAsync() => PostAsync("staff", "bill-runs", []);

    private async Task CancelAsync(SimulatedMember member)
    {
        if (member.Memberships.Count == 0)
        {
            return;
        }

        string id = _dice.Of(member.Memberships);
        if (await house.SendAsync("staff", HttpMethod.Get, "/api/v1/memberships/" + id) is { Status: HttpStatusCode.OK } found)
        {
            LocalDate on = house.Calendar.DateOf(house.World.Now).PlusDays(_dice.Between(0, 5));
            await PostAsync(
                member.MemberId, $"memberships/{id}/cancel", new JsonObject { ["on"] = Iso.Format(on) }, version: (long)found.Answer["version"]!);
        }
    }

    private async Task PayAsync(SimulatedMember member)
    {
        string list = $"/api/v1/invoices?customerId={member.CustomerId}&limit=20";
        if (await house.SendAsync(member.MemberId, HttpMethod.Get, list) is { Status: HttpStatusCode.OK } found
            && found.Answer["results"]!.AsArray() is { Count: > 0 } invoices)
        {
            await PostAsync(member.MemberId, $"invoices/{_dice.Of([.. invoices])!["id"]}/pay", null);
        }
    }

    /// <summary>
    /// Somebody sends an earlier request once more, under the same key: it is answered as before and nothing happens. A sign-up whose
    /// payment was pending is left out: its answer is what has become of it.
    /// </summary>
    private async Task RepeatAsync()
    {
        if (_answered.Count == 0)
        {
            return;
        }

        var (who, path, body, key, status, id) = _dice.Of(_answered);
        if (await house.SendAsync(who, HttpMethod.Post, path, body, key) is { } again && ((string?)again.Answer["id"] != id || again.Status != status))
        {
            throw new SimulationFailureException(
                $"POST {path} under {key} first answered {status} {id} and then {again.Status} {again.Answer.ToJsonString()}.");
        }
    }

    private async Task AdvanceAsync(Duration by)
    {
        await house.AdvanceAsync(by);
        house.Log.Add($"{house.World.Now} is reached");
    }

    private async Task PostAsync(string who, string collection, JsonObject? body, SimulatedMember? joining = null, long? version = null)
    {
        string key = $"key-{++_keys}";
        string path = "/api/v1/" + collection;
        (HttpStatusCode Status, JsonObject Answer)? outcome = await house.SendAsync(who, HttpMethod.Post, path, body, key, version);
        string answer = outcome is { } given ? $"{given.Status} {given.Answer["code"] ?? given.Answer["id"]}" : "gave up";
        house.Log.Add($"{house.World.Now} {who} POST {path} {body?.ToJsonString()} [{key}] -> {answer}");
        if (outcome is not { } answered)
        {
            return;
        }

        if ((int)answered.Status is 400 or 401 or 403 or 404 or 405 or 415)
        {
            throw new SimulationFailureException($"POST {path} answered {answered.Status}: {answered.Answer.ToJsonString()}");
        }

        if ((int)answered.Status is >= 200 and < 300 && body is not null && version is null)
        {
            string? id = (string?)answered.Answer["id"];
            if ((string?)answered.Answer["status"] != "pending")
            {
                _answered.Add((who, path, body, key, answered.Status, id));
            }

            if (joining is not null)
            {
                joining.Memberships.Add(id!);
            }
        }
    }
}
