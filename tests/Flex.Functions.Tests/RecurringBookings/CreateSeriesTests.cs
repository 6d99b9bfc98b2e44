using System.Text.Json.Nodes;
using Flex.Bookings;
using Flex.Catalogue;
using Flex.Functions.Tests.Bookings;
using Flex.Functions.Tests.Platform.Http;
using Flex.Invoicing;
using Flex.Kernel;
using Flex.Members;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using Flex.RecurringBookings;
using Flex.Wallets;
using NodaTime;
using Xunit;

namespace Flex.Functions.Tests.RecurringBookings;

public sealed class CreateSeriesTests : IAsyncLifetime
{
    private Spaces _spaces = null!;

    public async ValueTask InitializeAsync() => _spaces = await Spaces.CreateAsync();

    public ValueTask DisposeAsync()
    {
        _spaces.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact, Trait("Rule", "REC-1"), Trait("Rule", "REC-2")]
    public async Task A_year_of_weeks_is_accounted_for_two_months_and_estimated_beyond()
    {
        Answer preview = await _spaces.SendAsync("RecurringBookings_Preview", _spaces.Recurring(SeriesWorld.Weekly + 52));
        Answer made = await _spaces.RepeatAsync(_spaces.Recurring(SeriesWorld.Weekly + 52));

        Assert.True(made.Status == 201, made.Body);
        Assert.Equal($"/api/v1/recurring-bookings/{made.Json["id"]}", made.Headers["Location"]);
        Assert.Equal("active", (string?)made.Json["series"]!["state"]);

        // It is 31 December in New York: the horizon is 28 February, the last Monday in it 24 February.
        JsonNode totals = made.Json["summary"]!["totals"]!;
        Assert.Equal((8, "96.00"), ((int)totals["accounted"]!, totals["accountedAmounts"]!.Fee()));
        Assert.Equal((44, "528.00"), ((int)totals["estimated"]!, totals["estimatedAmounts"]!.Fee()));
        Assert.Equal("2024-12-31", (string?)made.Json["summary"]!.Row("2025-02-24")["accountingDate"]);
        Assert.Equal("2025-01-03", (string?)made.Json["summary"]!.Row("2025-03-03")["accountingDate"]);
        Assert.Equal(preview.Json["summary"]!.ToJsonString(), made.Json["summary"]!.ToJsonString());

        Assert.Equal(8, _spaces.Bookings().Count(b => b is { State: BookingState.Confirmed, Accounting: BookingAccounting.Accounted }));
        Assert.Equal(44, _spaces.Bookings().Count(b => b is { State: BookingState.Tentative, Accounting: BookingAccounting.NotAccounted, Charges.Count: 0, ActBy: null }));
        Assert.Equal(8, _spaces.Queue.On<ChargeCreated>(Queues.Billing, ChargeCreated.Subject).Count);
        Assert.Equal(8, BookingInvariants.Check(_spaces.Tables, _spaces.Location, _spaces.Room));
    }

    [Fact, Trait("Rule", "REC-2")]
    public async Task What_it_holds_beyond_the_horizon_is_taken()
    {
        await _spaces.MakeAsync(SeriesWorld.Weekly + 52);

        Answer other = await _spaces.BookAsync("2025-10-06T14:00:00Z", "2025-10-06T15:00:00Z");

        Assert.Equal((409, ErrorCodes.BookingConflict), (other.Status, other.Code));
    }

    [Fact, Trait("Rule", "REC-8")]
    public async Task Occurrences_keep_the_time_on_the_wall_over_both_changes_of_clocks()
    {
        await _spaces.MakeAsync("FREQ=WEEKLY;COUNT=40", "2025-03-02T19:00:00", "2025-03-02T20:00:00");

        Instant[] starts = [.. _spaces.Bookings().Select(b => b.Start)];
        Assert.Contains(Instant.FromUtc(2025, 3, 3, 0, 0), starts);
        Assert.Contains(Instant.FromUtc(2025, 3, 9, 23, 0), starts);
        Assert.Contains(Instant.FromUtc(2025, 10, 26, 23, 0), starts);
        Assert.Contains(Instant.FromUtc(2025, 11, 3, 0, 0), starts);
        Assert.All(_spaces.Bookings(), b => Assert.Equal(new LocalTime(19, 0), new SiteCalendar(b.TimeZone).LocalOf(b.Start).TimeOfDay));
    }

    [Theory, Trait("Rule", "REC-8"), Trait("Rule", "REC-1")]
    [InlineData("2025-03-08T02:30:00", "2025-03-08T03:30:00", "2025-03-09T07:30:00Z", "12.00")]
    [InlineData("2025-03-08T01:00:00", "2025-03-08T04:00:00", "2025-03-09T06:00:00Z", "24.00")]
    [InlineData("2025-11-01T01:30:00", "2025-11-01T02:30:00", "2025-11-02T05:30:00Z", "24.00")]
    [InlineData("2025-11-01T00:30:00", "2025-11-01T03:30:00", "2025-11-02T04:30:00Z", "48.00")]
    public async Task Skipped_and_repeated_hours_are_booked_and_paid_as_they_pass(string start, string end, string second, string fee)
    {
        await _spaces.MakeAsync("FREQ=DAILY;COUNT=2", start, end);

        Booking booking = _spaces.Bookings()[1];
        Assert.Equal(second, booking.Start.ToString());
        Assert.Equal(fee, booking.Price.Fee.ToDecimalString());
    }

    [Fact, Trait("Rule", "REC-6")]
    public async Task All_conflicts_are_named_and_nothing_is_kept()
    {
        await _spaces.BookAsync("2025-01-13T15:30:00Z", "2025-01-13T15:45:00Z");
        await _spaces.BookAsync("2025-12-29T15:30:00Z", "2025-12-29T16:30:00Z");

        Answer refused = await _spaces.RepeatAsync(_spaces.Recurring(SeriesWorld.Weekly + 52), key: "k1");

        Assert.Equal((409, ErrorCodes.BookingConflict), (refused.Status, refused.Code));
        Assert.Equal(["2025-01-13", "2025-12-29"], refused.Json["dates"]!.Dates());
        Assert.Equal(
            [("2025-01-13", "2025-01-13T15:30:00Z", "2025-01-13T15:45:00Z"), ("2025-12-29", "2025-12-29T15:30:00Z", "2025-12-29T16:30:00Z")],
            refused.Json["conflicts"]!.AsArray().Select(c => ((string)c!["date"]!, (string)c["start"]!, (string)c["end"]!)));
        Assert.Equal(2, _spaces.Bookings().Count);
        Assert.Empty(_spaces.AllSeries());
    }

    [Fact, Trait("Rule", "REC-6")]
    public async Task Conflicts_are_skipped_on_demand_and_kept_as_exclusions_with_their_reason()
    {
        await _spaces.BookAsync("2025-01-13T15:30:00Z", "2025-01-13T15:45:00Z");

        Answer made = await _spaces.RepeatAsync(_spaces.Recurring(SeriesWorld.Weekly + 4, onConflict: "skip"));

        Assert.Equal(201, made.Status);
        JsonNode exclusion = Assert.Single(made.Json["series"]!["exclusions"]!.AsArray())!;
        Assert.Equal(("2025-01-13", "conflict"), ((string?)exclusion["date"], (string?)exclusion["reason"]));
        Assert.Equal(("skipped", "conflict"), ((string?)made.Json["summary"]!.Row("2025-01-13")["status"], (string?)made.Json["summary"]!.Row("2025-01-13")["skipReason"]));
        Assert.Equal(3, _spaces.Bookings().Count(b => b.Series is not null));
    }

    [Fact, Trait("Rule", "REC-6")]
    public async Task A_series_of_which_nothing_is_left_is_refused_also_when_it_may_skip()
    {
        await _spaces.BookAsync("2025-01-06T15:00:00Z", "2025-01-06T16:00:00Z");

        Answer refused = await _spaces.RepeatAsync(_spaces.Recurring(SeriesWorld.Weekly + 1, onConflict: "skip"));

        Assert.Equal((409, ErrorCodes.BookingConflict), (refused.Status, refused.Code));
        Assert.Empty(_spaces.AllSeries());
    }

    [Fact, Trait("Rule", "REC-1"), Trait("Rule", "CRD-5")]
    public async Task Each_occurrence_draws_on_its_own_cycle_and_estimates_draw_nothing()
    {
        MemberId member = await _spaces.AddMemberWithCreditAsync(150);

        Answer made = await _spaces.RepeatAsync(_spaces.Recurring(SeriesWorld.Weekly + 20, member: member));

        Assert.True(made.Status == 201, made.Body);
        // Four Mondays in January and four in February, 150 minutes of credit in each month.
        Assert.Equal(
            ["0.00", "0.00", "6.00", "12.00", "0.00", "0.00", "6.00", "12.00", "12.00"],
            made.Json["summary"]!["rows"]!.AsArray().Take(9).Select(r => r!["amounts"]!.Fee()));
        Assert.Equal([150, 150], (await _spaces.WalletAsync(member)).Used.Select(u => u.Minutes));
        Assert.Equal(
            [("2025-01-01", "18.00"), ("2025-02-01", "18.00")],
            made.Json["summary"]!["cycles"]!.AsArray().Take(2).Select(c => ((string)c!["from"]!, c["totals"]!["accountedAmounts"]!.Fee())));
        Assert.Equal(8, BookingInvariants.Check(_spaces.Tables, _spaces.Location, _spaces.Room));
        Answer summary = await _spaces.SendAsync("RecurringBookings_Summary", id: (string)made.Json["id"]!);
        Assert.Equal(made.Json["summary"]!.ToJsonString(), summary.Json.ToJsonString());
    }

    [Theory, Trait("Rule", "REC-3"), Trait("Rule", "BPS-5")]
    [InlineData("reject", 409)]
    [InlineData("skip", 201)]
    public async Task Without_passes_for_all_it_is_refused_or_the_rest_is_skipped(string onConflict, int status)
    {
        MemberId member = await AddMemberWithPassesAsync(passes: 2);

        Answer answer = await _spaces.RepeatAsync(_spaces.Recurring(SeriesWorld.Weekly + 3, onConflict: onConflict, member: member));

        Assert.True(answer.Status == status, answer.Body);
        if (status == 409)
        {
            Assert.Equal(ErrorCodes.OutOfPasses, answer.Code);
            Assert.Equal(["2025-01-20"], answer.Json["dates"]!.Dates());
            Assert.Equal((0, 0), (_spaces.Bookings().Count, (await _spaces.WalletAsync(member)).Passes.Sum(p => p.UsedMinutes)));
        }
        else
        {
            Assert.Equal(["2025-01-20"], answer.Json["series"]!["exclusions"]!.AsArray().Select(e => (string?)e!["date"]));
            Assert.Equal("noPasses", (string?)answer.Json["series"]!["exclusions"]![0]!["reason"]);
            Assert.Equal((2, 120), (_spaces.Standing().Count, (await _spaces.WalletAsync(member)).Passes.Sum(p => p.UsedMinutes)));
        }
    }

    [Theory, Trait("Rule", "MEM-12"), Trait("Rule", "REC-6")]
    [InlineData("reject", 409)]
    [InlineData("skip", 201)]
    public async Task What_starts_after_the_membership_ends_is_refused_or_skipped(string onConflict, int status)
    {
        MemberId member = await _spaces.AddMemberAsync(MembershipStatus.PendingCancellation, Instant.FromUtc(2025, 2, 1, 5, 0));

        Answer answer = await _spaces.RepeatAsync(_spaces.Recurring(SeriesWorld.Weekly + 6, onConflict: onConflict, member: member));

        Assert.True(answer.Status == status, answer.Body);
        Assert.Equal(status == 409 ? ErrorCodes.MembershipEndsBefore : null, answer.Code);
        Assert.Equal(status == 409 ? 0 : 4, _spaces.Standing().Count);
    }

    [Fact, Trait("Rule", "MEM-14")]
    public async Task A_payment_overdue_is_no_matter_of_single_days()
    {
        MemberId member = await _spaces.AddMemberAsync(MembershipStatus.Delinquent);

        Answer answer = await _spaces.RepeatAsync(_spaces.Recurring(SeriesWorld.Weekly + 6, onConflict: "skip", member: member));

        Assert.Equal((409, ErrorCodes.PaymentRequired), (answer.Status, answer.Code));
    }

    [Theory, Trait("Rule", "BKG-4")]
    [InlineData("reject", "member", 422)]
    [InlineData("skip", "member", 201)]
    [InlineData("reject", "staff", 201)]
    public async Task The_policy_binds_every_occurrence_but_for_staff_who_set_it_aside(string onConflict, string caller, int status)
    {
        ResourceId room = await _spaces.AddAsync<ResourceId>(
            "Resources_Create",
            new
            {
                locationId = _spaces.Location.Value,
                name = "Red room",
                kind = "meetingRoom",
                capacity = 8,
                rateId = _spaces.Rate.Value,
                isPublished = true,
                terms = BookingTerms.None with { MaxAheadDays = 20 },
            });

        Answer answer = await _spaces.RepeatAsync(
            _spaces.Recurring(SeriesWorld.Weekly + 4, onConflict: onConflict, room: room, overridePolicy: caller == "staff"),
            caller == "staff" ? caller : Spaces.As(_spaces.Member));

        Assert.True(answer.Status == status, answer.Body);
        if (status == 422)
        {
            Assert.Equal((ErrorCodes.BookingPolicy, "maxAheadDays"), (answer.Code, (string?)answer.Json["rule"]));
            Assert.Equal(["2025-01-27"], answer.Json["dates"]!.Dates());
        }
        else
        {
            Assert.Equal(caller == "staff" ? 4 : 3, _spaces.Standing().Count);
            Assert.Equal(caller == "staff" ? 1 : 0, _spaces.Standing().Count(b => b.Overrides.Any(o => o.Rule == "maxAheadDays")));
        }
    }

    [Fact]
    public async Task A_year_of_weeks_takes_four_storage_calls_and_three_more_with_a_wallet()
    {
        MemberId withWallet = await _spaces.AddMemberWithCreditAsync(100);
        await _spaces.RepeatAsync(_spaces.Recurring(SeriesWorld.Weekly + 1, "2025-01-01T20:00:00", "2025-01-01T20:30:00"));
        await _spaces.RepeatAsync(_spaces.Recurring(SeriesWorld.Weekly + 1, "2025-01-01T21:00:00", "2025-01-01T21:30:00", member: withWallet));

        using StorageCallScope plain = StorageCalls.Measure();
        await _spaces.RepeatAsync(_spaces.Recurring(SeriesWorld.Weekly + 52));
        int plainCalls = plain.Count;
        using StorageCallScope wallet = StorageCalls.Measure();
        Answer made = await _spaces.RepeatAsync(_spaces.Recurring(SeriesWorld.Weekly + 52, "2025-01-06T12:00:00", "2025-01-06T13:00:00", member: withWallet));

        Assert.Equal(201, made.Status);
        Assert.Equal((4, 7), (plainCalls, wallet.Count));
    }

    [Fact, Trait("Rule", "API-2")]
    public async Task A_repetition_is_answered_as_the_first_request_and_makes_nothing()
    {
        Answer first = await _spaces.RepeatAsync(_spaces.Recurring(SeriesWorld.Weekly + 5), key: "k1");
        Answer again = await _spaces.RepeatAsync(_spaces.Recurring(SeriesWorld.Weekly + 5), key: "k1");
        Answer other = await _spaces.RepeatAsync(_spaces.Recurring(SeriesWorld.Weekly + 6), key: "k1");

        Assert.Equal((201, first.Body), (again.Status, again.Body));
        Assert.Equal("true", again.Headers["Idempotency-Replayed"]);
        Assert.Equal((422, ErrorCodes.IdempotencyKeyReuse), (other.Status, other.Code));
        Assert.Equal(5, _spaces.Bookings().Count);
    }

    [Fact, Trait("Rule", "REC-6"), Trait("Rule", "REC-7")]
    public async Task Five_hundred_days_are_booked_by_message_and_reported_day_by_day()
    {
        Answer accepted = await _spaces.RepeatAsync(_spaces.Recurring(SeriesWorld.Daily + 500), key: "k1");

        Assert.Equal(202, accepted.Status);
        string operation = accepted.Headers["Location"].ToString()["/api/v1/operations/".Length..];
        JsonNode running = (await _spaces.SendAsync("Operations_Get", id: operation)).Json;
        Assert.Equal(("running", 500), ((string?)running["state"], running["occurrences"]!.AsArray().Count(o => (string?)o!["status"] == "pending")));
        Assert.Equal("creating", (string?)(await _spaces.SendAsync("RecurringBookings_Get", id: (string)accepted.Json["id"]!)).Json["state"]);

        await _spaces.DrainAsync(Queues.Bookings);

        JsonNode done = (await _spaces.SendAsync("Operations_Get", id: operation)).Json;
        Assert.Equal(("succeeded", 500), ((string?)done["state"], done["occurrences"]!.AsArray().Count(o => (string?)o!["status"] == "booked")));
        Assert.Equal("active", (string?)(await _spaces.SendAsync("RecurringBookings_Get", id: (string)accepted.Json["id"]!)).Json["state"]);
        Assert.Equal((500, 54), (_spaces.Standing().Count, BookingInvariants.Check(_spaces.Tables, _spaces.Location, _spaces.Room)));
        Answer repeated = await _spaces.RepeatAsync(_spaces.Recurring(SeriesWorld.Daily + 500), key: "k1");
        Assert.Equal((202, accepted.Body), (repeated.Status, repeated.Body));
    }

    private async Task<MemberId> AddMemberWithPassesAsync(int passes)
    {
        PlanId plan = await _spaces.AddPlanAsync(
            ("passOffers", new[] { new { name = "Hour", hours = 1, price = Spaces.Money("10.00"), taxRateId = (string?)null, resourceIds = new[] { _spaces.Room.Value } } }));
        JsonNode settings = (await _spaces.SendAsync("Operator_Get", caller: "owner")).Json;
        settings["bookingPassesEnabled"] = true;
        string version = (string)settings["version"]!.ToJsonString();
        settings.AsObject().Remove("version");
        settings.AsObject().Remove("accountStatus");
        Assert.Equal(200, (await _spaces.SendAsync("Operator_Edit", settings.ToJsonString(), "owner", headers: ("If-Match", $"\"{version}\""))).Status);
        MemberId member = await _spaces.AddMemberOnAsync(plan);
        Answer assigned = await _spaces.SendAsync(
            "BookingPasses_Assign", new { offer = "Hour", quantity = passes }, id: member.Value, headers: ("Idempotency-Key", "assign"));
        Assert.True(assigned.Status == 201, assigned.Body);
        return member;
    }
}
