using System.Net;
using System.Text.Json.Nodes;
using NodaTime;
using NodaTime.Text;

namespace Flex.Functions.Tests.Simulation;

/// <summary>What members and staff do with bookings and wallets: one action at a time, drawn by the dice, each with what may come back.</summary>
internal sealed class BookingStory
{
    private const int Days = 3;

    private static readonly LocalDatePattern Iso = LocalDatePattern.Iso;
    private static readonly LocalDateTimePattern LocalText = LocalDateTimePattern.GeneralIso;

    private readonly SimulatedOperator _house;
    private readonly BookedHouses _houses;
    private readonly Dice _dice;
    private readonly Correspondence _post;
    private readonly List<JsonObject> _slots = [];
    private readonly List<(SimulatedMember Member, string Id, Instant Start, bool IsHeld)> _bookings = [];
    private readonly List<(SimulatedMember Member, string Id, LocalDate From)> _series = [];
    private readonly List<(string Member, string Grant)> _grants = [];
    private readonly List<(string Member, string Pass)> _passes = [];
    private int _rivals;

    public BookingStory(SimulatedOperator house, BookedHouses houses)
    {
        (_house, _houses) = (house, houses);
        _dice = new Dice(house.Seed, "bookings");
        _post = new Correspondence(house, _dice);
    }

    public async Task PlayAsync(Func<Task> afterEachStep)
    {
        foreach (SimulatedMember member in _houses.Members.Take(6))
        {
            string card = _dice.Weighted((6, "pm_card_visa"), (1, "pm_card_chargeCustomerFail"));
            await _post.PostAsync(member.MemberId, $"customers/{member.CustomerId}/payment-methods", new JsonObject { ["paymentMethod"] = card });
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

    private Task StepAsync()
    {
        SimulatedMember member = AnyMember(_dice);
        return _dice.Weighted<Func<Task>>(
            (12, () => BookAsync(member)),
            (3, _post.RepeatAsync),
            (3, CancelAsync),
            (3, ChangeAsync),
            (2, PayAsync),
            (2, DecideAsync),
            (2, CheckInAsync),
            (1, BulkCancelAsync),
            (1, () => ReaccountAsync(member)),
            (3, () => BookSeriesAsync(member)),
            (2, CancelSeriesAsync),
            (2, UpdateSeriesAsync),
            (1, IncludeAsync),
            (2, () => BuyPassesAsync(member)),
            (1, () => AssignPassesAsync(member)),
            (1, RemovePassAsync),
            (2, () => GrantAsync(member)),
            (1, WithdrawAsync),
            (1, () => DowngradeAsync(member)),
            (1, () => _post.PostAsync("staff", "bill-runs", [])),
            (2, () => AdvanceAsync(Duration.FromMinutes(_dice.Between(1, 20)))),
            (3, () => AdvanceAsync(Duration.FromHours(_dice.Between(1, 12)))))();
    }

    /// <summary>What may come in the middle of a step: another booking, or something else that happens to one that is just being worked on.</summary>
    private Task RivalAsync(Dice dice)
    {
        SimulatedMember member = AnyMember(dice);
        string key = $"rival-{++_rivals}";
        Task SendAsync(string who, string path, JsonObject? body) => _house.TryAsync(who, HttpMethod.Post, "/api/v1/" + path, body, key);
        return dice.Weighted<Func<Task>>(
            (3, () => SendAsync(member.MemberId, "bookings", Slot(dice))),
            (2, () => WithAsync(dice, (who, id) => SendAsync(who, $"bookings/{id}/cancel", []))),
            (2, () => WithAsync(dice, (_, id) => SendAsync("staff", $"bookings/{id}/change", Change(dice)))),
            (1, () => WithAsync(dice, (_, id) => SendAsync("staff", $"bookings/{id}/approve", null))))();
    }

    /// <summary>Half of the time one of the few who have a card, so that wallets are used again and again.</summary>
    private SimulatedMember AnyMember(Dice dice) => dice.Roll(0.5) ? dice.Of([.. _houses.Members.Take(6)]) : dice.Of(_houses.Members);

    private async Task BookAsync(SimulatedMember member)
    {
        JsonObject slot = Slot(_dice);
        if (_dice.Roll(0.1))
        {
            slot["hold"] = true;
        }

        if (_dice.Roll(0.2))
        {
            slot["memberId"] = member.MemberId;
            slot["overridePolicy"] = _dice.Roll(0.3);
            Note(member, await _post.PostAsync("staff", "bookings", slot));
            return;
        }

        Note(member, await _post.PostAsync(member.MemberId, "bookings", slot));
    }

    private void Note(SimulatedMember member, JsonObject? booking)
    {
        if (booking is not null)
        {
            _bookings.Add((
                member,
                (string)booking["id"]!,
                InstantPattern.ExtendedIso.Parse((string)booking["start"]!).Value,
                (string)booking["state"]! == "held"));
        }
    }

    /// <summary>By the member or by staff, with and without a fee, for the space's sake, and of bookings that are over.</summary>
    private Task CancelAsync()
    {
        var how = _dice.Pick<JsonObject>([], new JsonObject { ["waive"] = false }, new JsonObject { ["waive"] = true }, new JsonObject { ["bySpace"] = true });
        return WithAsync(_dice, (who, id) => _post.PostAsync(how.Count == 0 ? who : "staff", $"bookings/{id}/cancel", how));
    }

    /// <summary>To another time, to another length or to another resource.</summary>
    private Task ChangeAsync() => WithAsync(_dice, (who, id) => _post.PostAsync(_dice.Pick(who, "staff"), $"bookings/{id}/change", Change(_dice)));

    private JsonObject Change(Dice dice)
    {
        JsonObject change = Slot(dice);
        if (dice.Roll(0.6))
        {
            change.Remove("resourceId");
        }

        if (dice.Roll(0.3))
        {
            change.Remove("end");
        }

        return change;
    }

    private async Task PayAsync()
    {
        (SimulatedMember Member, string Id, Instant Start, bool IsHeld)[] held = [.. _bookings.Where(b => b.IsHeld)];
        if (held.Length > 0)
        {
            (SimulatedMember member, string id, _, _) = _dice.Roll(0.7) ? held[^1] : _dice.Of(held);
            await _post.PostAsync(member.MemberId, $"bookings/{id}/pay", null);
        }
    }

    private Task DecideAsync() => WithAsync(_dice, (_, id) => _post.PostAsync("staff", $"bookings/{id}/{_dice.Pick("approve", "approve", "reject")}", null));

    /// <summary>To the next booking, when its time has come: about a quarter of an hour before it until a little after its start.</summary>
    private async Task CheckInAsync()
    {
        Instant now = _house.World.Now;
        if (_bookings.Where(b => b.Start > now && b.Start < now + Duration.FromHours(20)).OrderBy(b => b.Start).Select(b => b.Id).FirstOrDefault() is { } next)
        {
            (SimulatedMember member, string id, Instant start, _) = _bookings.First(b => b.Id == next);
            Duration wait = start - now - Duration.FromMinutes(_dice.Between(-10, 20));
            if (wait > Duration.Zero)
            {
                await AdvanceAsync(wait);
            }

            await _post.PostAsync(member.MemberId, $"bookings/{id}/check-in", null);
        }
    }

    private async Task BulkCancelAsync()
    {
        Instant from = _house.World.Now + Duration.FromHours(_dice.Between(0, 60));
        await _post.PostAsync("staff", "bookings/bulk-cancel", new JsonObject
        {
            ["resourceId"] = _dice.Of(_houses.Resources),
            ["from"] = InstantPattern.General.Format(from),
            ["to"] = InstantPattern.General.Format(from + Duration.FromHours(_dice.Between(1, 24))),
            ["bySpace"] = _dice.Roll(0.5),
            ["waive"] = _dice.Roll(0.5),
        });
    }

    private async Task ReaccountAsync(SimulatedMember member) => await _post.PostAsync("staff", $"members/{member.MemberId}/bookings/reaccount", []);

    private async Task BookSeriesAsync(SimulatedMember member)
    {
        LocalDateTime start = Hour(_dice);
        var series = new JsonObject
        {
            ["resourceId"] = _dice.Of(_houses.Resources),
            ["localStart"] = LocalText.Format(start),
            ["localEnd"] = LocalText.Format(start.PlusMinutes(30 * _dice.Between(1, 5))),
            ["recurrence"] = Recurrence(_dice),
            ["onConflict"] = _dice.Pick("reject", "skip", "skip"),
        };
        bool isStaff = _dice.Roll(0.4);
        if (isStaff)
        {
            series["memberId"] = member.MemberId;
        }

        if (await _post.PostAsync(isStaff ? "staff" : member.MemberId, "recurring-bookings", series) is { } made)
        {
            _series.Add((member, (string)made["id"]!, start.Date));
        }
    }

    private Task CancelSeriesAsync() => WithSeriesAsync((member, id, from) => _post.PostAsync(
        _dice.Pick(member, "staff"), $"recurring-bookings/{id}/cancel", new JsonObject { ["from"] = Iso.Format(from.PlusDays(_dice.Between(0, 10))) }));

    /// <summary>To another time, another rule or another resource, from the first occurrence or a later day on.</summary>
    private Task UpdateSeriesAsync() => WithSeriesAsync(async (member, id, from) =>
    {
        var update = new JsonObject { ["from"] = Iso.Format(from.PlusDays(_dice.Pick(0, 1, 7, 7, 14))), ["onConflict"] = _dice.Pick("reject", "skip") };
        if (_dice.Roll(0.5))
        {
            LocalDateTime start = from.PlusDays(7) + Hour(_dice).TimeOfDay;
            (update["from"], update["localStart"]) = (Iso.Format(start.Date), LocalText.Format(start));
        }

        if (_dice.Roll(0.3))
        {
            update["recurrence"] = Recurrence(_dice);
        }

        if (_dice.Roll(0.2))
        {
            update["resourceId"] = _dice.Of(_houses.Resources);
        }

        if (await _post.PostAsync(_dice.Pick(member, "staff"), $"recurring-bookings/{id}/update", update) is { } changed)
        {
            string after = (string)changed["series"]!["id"]!;
            _series.Add((_houses.Members.Single(m => m.MemberId == member), after, LocalDatePattern.Iso.Parse((string)update["from"]!).Value));
        }
    });

    private Task IncludeAsync() => WithSeriesAsync((_, id, from) => _post.PostAsync(
        "staff", $"recurring-bookings/{id}/occurrences", new JsonObject { ["date"] = Iso.Format(from.PlusDays(_dice.Pick(0, 1, 7, 14))) }));

    private async Task WithSeriesAsync(Func<string, string, LocalDate, Task> act)
    {
        if (_series.Count > 0)
        {
            (SimulatedMember member, string id, LocalDate from) = _dice.Of(_series);
            await act(member.MemberId, id, from);
        }
    }

    /// <summary>A half hour of one of the next days, by the clock.</summary>
    private LocalDateTime Hour(Dice dice) =>
        _house.Calendar.DateOf(_house.World.Now).PlusDays(dice.Between(0, 10)).AtMidnight().PlusMinutes(30 * dice.Between(0, 47));

    private static JsonObject Recurrence(Dice dice) => dice.Weighted<Func<JsonObject>>(
        (3, () => new JsonObject { ["frequency"] = "weekly", ["count"] = dice.Between(2, 12) }),
        (2, () => new JsonObject { ["frequency"] = "daily", ["count"] = dice.Between(2, 20) }),
        (1, () => new JsonObject { ["frequency"] = "monthly", ["count"] = dice.Between(2, 4) }),
        (1, () => new JsonObject { ["rrule"] = "FREQ=WEEKLY;BYDAY=MO,WE,SA;COUNT=8" }))();

    /// <summary>Does something with a booking, mostly one of the latest.</summary>
    private async Task WithAsync(Dice dice, Func<string, string, Task> act)
    {
        if (_bookings.Count > 0)
        {
            (SimulatedMember member, string id, _, _) = dice.Roll(0.7) ? _bookings[^dice.Between(1, Math.Min(5, _bookings.Count))] : dice.Of(_bookings);
            await act(member.MemberId, id);
        }
    }

    /// <summary>A new time, mostly within days, some over several days and some over the end of the month; or what somebody wanted before.</summary>
    private JsonObject Slot(Dice dice)
    {
        if (_slots.Count > 0 && dice.Roll(0.3))
        {
            return _slots[dice.Between(0, _slots.Count - 1)].DeepClone().AsObject();
        }

        long quarter = (_house.World.Now.ToUnixTimeSeconds() / 900) + dice.Weighted((6, dice.Between(1, 96 * 4)), (1, dice.Between(1, 96 * 40)), (1, dice.Between(1, 8)));
        Instant start = Instant.FromUnixTimeSeconds(quarter * 900);
        int minutes = dice.Weighted((8, 15 * dice.Between(1, 16)), (1, 60 * dice.Between(5, 80)));
        var slot = new JsonObject
        {
            ["resourceId"] = dice.Of(_houses.Resources),
            ["start"] = InstantPattern.General.Format(start),
            ["end"] = InstantPattern.General.Format(start + Duration.FromMinutes(minutes)),
        };
        _slots.Add(slot);
        return slot.DeepClone().AsObject();
    }

    private async Task BuyPassesAsync(SimulatedMember member) =>
        await _post.PostAsync(member.MemberId, $"members/{member.MemberId}/booking-passes/purchases", Passes());

    private async Task AssignPassesAsync(SimulatedMember member)
    {
        if (await _post.PostAsync("staff", $"members/{member.MemberId}/booking-passes", Passes()) is { } issued)
        {
            _passes.AddRange(issued["passes"]!.AsArray().Select(p => (member.MemberId, (string)p!["id"]!)));
        }
    }

    private JsonObject Passes() => new() { ["offer"] = _dice.Of(_houses.Offers), ["quantity"] = _dice.Between(1, 2) };

    private async Task RemovePassAsync()
    {
        if (_passes.Count > 0)
        {
            (string member, string pass) = _dice.Of(_passes);
            await _post.SendAsync("staff", HttpMethod.Delete, $"members/{member}/booking-passes/{pass}", null);
        }
    }

    private async Task GrantAsync(SimulatedMember member)
    {
        bool isMoney = _dice.Roll(0.4);
        var grant = new JsonObject
        {
            ["name"] = "Sorry",
            ["resourceIds"] = new JsonArray(_dice.Of(_houses.Resources)),
            ["minutes"] = isMoney ? null : 30 * _dice.Between(1, 6),
            ["amount"] = isMoney ? new JsonObject { ["amount"] = "15.55", ["currency"] = "usd" } : null,
            ["from"] = Iso.Format(_house.Calendar.DateOf(_house.World.Now).PlusDays(_dice.Between(-2, 2))),
            ["until"] = _dice.Roll(0.5) ? Iso.Format(_house.Calendar.DateOf(_house.World.Now).PlusDays(_dice.Between(3, 20))) : null,
        };
        if (await _post.PostAsync("staff", $"members/{member.MemberId}/credit-grants", grant) is { } granted)
        {
            _grants.Add((member.MemberId, (string)granted["id"]!));
        }
    }

    private async Task WithdrawAsync()
    {
        if (_grants.Count > 0)
        {
            (string member, string grant) = _dice.Of(_grants);
            await _post.SendAsync("staff", HttpMethod.Delete, $"members/{member}/credit-grants/{grant}", null);
        }
    }

    /// <summary>From today on the member is on the plan that everybody falls back to.</summary>
    private async Task DowngradeAsync(SimulatedMember member)
    {
        string id = member.Memberships[0];
        if (await _house.SendAsync("staff", HttpMethod.Get, "/api/v1/memberships/" + id) is { Status: HttpStatusCode.OK } found)
        {
            await _post.PostAsync(
                "staff",
                $"memberships/{id}/cancel",
                new JsonObject { ["on"] = Iso.Format(_house.Calendar.DateOf(_house.World.Now)) },
                version: (long)found.Answer["version"]!);
        }
    }

    private async Task AdvanceAsync(Duration by)
    {
        await _house.AdvanceAsync(by);
        _house.Log.Add($"{_house.World.Now} is reached");
    }
}
