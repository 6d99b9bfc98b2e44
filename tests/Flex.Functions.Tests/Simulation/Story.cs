using System.Net;
using System.Text.Json.Nodes;
using NodaTime;
using NodaTime.Text;

namespace Flex.Functions.Tests.Simulation;

/// <summary>What the people of a world do: one action at a time, drawn by the dice, each with what may come back.</summary>
internal sealed class Story
{
    private static readonly LocalDatePattern Iso = LocalDatePattern.Iso;

    private readonly SimulatedOperator _house;
    private readonly Dice _dice;
    private readonly Correspondence _post;
    private readonly List<JsonObject> _slots = [];
    private int _rivals;

    public Story(SimulatedOperator house)
    {
        _house = house;
        _dice = new Dice(house.Seed, "story");
        _post = new Correspondence(house, _dice);
    }

    /// <summary>How many days of the world the story takes at least.</summary>
    public int Days => _house.Seed % 25 == 0 ? 40 : 9;

    public async Task PlayAsync(Func<Task> afterEachStep)
    {
        foreach (SimulatedMember member in _house.Members)
        {
            await CardAsync(member, _dice.Weighted((6, "pm_card_visa"), (2, "pm_card_chargeCustomerFail"), (1, "pm_usBankAccount_success")));
        }

        _house.Disturbances.Rival = RivalAsync;
        Instant end = _house.World.Now + Duration.FromDays(Days);
        while (_house.World.Now < end)
        {
            _house.Disturbances.Prepare();
            await StepAsync();
            await afterEachStep();
        }
    }

    /// <summary>What may come at any instant, also in the middle of a renewal: another card, or the end.</summary>
    private async Task RivalAsync(Dice dice)
    {
        SimulatedMember member = dice.Of(_house.Members);
        if (dice.Roll(0.7) || member.Memberships.Count == 0)
        {
            await _house.TryAsync(
                member.MemberId,
                HttpMethod.Post,
                $"/api/v1/customers/{member.CustomerId}/payment-methods",
                new JsonObject { ["paymentMethod"] = dice.Pick("pm_card_visa", "pm_card_chargeCustomerFail") },
                $"rival-{++_rivals}");
            return;
        }

        string id = dice.Of(member.Memberships);
        LocalDate today = _house.Calendar.DateOf(_house.World.Now);
        await _house.TryAsync(
            "staff",
            HttpMethod.Post,
            $"/api/v1/memberships/{id}/cancel",
            new JsonObject { ["on"] = Iso.Format(today) },
            $"rival-{++_rivals}",
            version: dice.Between(1, 4));
    }

    private Task StepAsync()
    {
        SimulatedMember member = _dice.Of(_house.Members);
        return _dice.Weighted<Func<Task>>(
            (4, () => member.Memberships.Count == 0 || _dice.Roll(0.1) ? BeginAsync(member) : BookAsync(member)),
            (4, () => BookAsync(member)),
            (2, () => CardAsync(member, Card())),
            (1, BillRunAsync),
            (1, () => CancelAsync(member)),
            (1, () => PayAsync(member)),
            (1, _post.RepeatAsync),
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
            Join(member, await _post.PostAsync(member.MemberId, "memberships/sign-up", new JsonObject { ["planId"] = _house.Plan }));
            return;
        }

        LocalDate on = _house.Calendar.DateOf(_house.World.Now).PlusDays(_dice.Between(1, 3));
        var assignment = new JsonObject { ["memberId"] = member.MemberId, ["planId"] = _house.Plan, ["renewalOn"] = Iso.Format(on) };
        Join(member, await _post.PostAsync("staff", "memberships", assignment));
    }

    private static void Join(SimulatedMember member, JsonObject? membership)
    {
        if (membership is not null)
        {
            member.Memberships.Add((string)membership["id"]!);
        }
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
            long hour = (_house.World.Now.ToUnixTimeSeconds() / 3600) + _dice.Between(1, 200);
            Instant start = Instant.FromUnixTimeSeconds(hour * 3600) + Duration.FromMinutes(30 * _dice.Between(0, 1));
            slot = new JsonObject
            {
                ["resourceId"] = _house.Room,
                ["start"] = InstantPattern.General.Format(start),
                ["end"] = InstantPattern.General.Format(start + Duration.FromMinutes(30 * _dice.Between(1, 9))),
            };
            _slots.Add(slot);
        }

        await _post.PostAsync(member.MemberId, "bookings", slot.DeepClone().AsObject());
    }

    private async Task CardAsync(SimulatedMember member, string card) =>
        await _post.PostAsync(member.MemberId, $"customers/{member.CustomerId}/payment-methods", new JsonObject { ["paymentMethod"] = card });

    private async Task BillRunAsync() => await _post.PostAsync("staff", "bill-runs", []);

    private async Task CancelAsync(SimulatedMember member)
    {
        if (member.Memberships.Count == 0)
        {
            return;
        }

        string id = _dice.Of(member.Memberships);
        if (await _house.SendAsync("staff", HttpMethod.Get, "/api/v1/memberships/" + id) is { Status: HttpStatusCode.OK } found)
        {
            LocalDate on = _house.Calendar.DateOf(_house.World.Now).PlusDays(_dice.Between(0, 5));
            await _post.PostAsync(
                member.MemberId, $"memberships/{id}/cancel", new JsonObject { ["on"] = Iso.Format(on) }, version: (long)found.Answer["version"]!);
        }
    }

    private async Task PayAsync(SimulatedMember member)
    {
        string list = $"/api/v1/invoices?customerId={member.CustomerId}&limit=20";
        if (await _house.SendAsync(member.MemberId, HttpMethod.Get, list) is { Status: HttpStatusCode.OK } found
            && found.Answer["results"]!.AsArray() is { Count: > 0 } invoices)
        {
            await _post.PostAsync(member.MemberId, $"invoices/{_dice.Of([.. invoices])!["id"]}/pay", null);
        }
    }

    private async Task AdvanceAsync(Duration by)
    {
        await _house.AdvanceAsync(by);
        _house.Log.Add($"{_house.World.Now} is reached");
    }
}
