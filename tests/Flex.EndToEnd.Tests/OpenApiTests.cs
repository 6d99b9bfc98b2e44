using System.Globalization;
using System.Text.Json.Nodes;
using Flex.EndToEnd.Tests.Support;
using Xunit;

namespace Flex.EndToEnd.Tests;

/// <summary>The main job by a client that has read nothing but <c>openapi.json</c>.</summary>
public sealed class OpenApiTests
{
    /// <summary>Not part of the main job, or no JSON: tested where they belong.</summary>
    private static readonly string[] Elsewhere =
    [
        "DeadLetters_Replay", "Invoices_Pay", "Plans_GetPicture", "Plans_SetPicture", "Resources_GetPicture", "Resources_SetPicture", "Webhooks_Stripe",
    ];

    [Fact]
    [Trait("Rule", "MEM-5")]
    [Trait("Rule", "BKG-3")]
    [Trait("Rule", "DUN-7")]
    public async Task A_client_that_knows_only_the_description_can_do_the_main_job()
    {
        CancellationToken cancel = TestContext.Current.CancellationToken;
        using var data = new TemporaryDirectory();
        await using TestHost host = await TestHost.StartAsync(data.Path, cancel);
        ApiDescription api = await ApiDescription.ReadAsync(host.Http, cancel);
        var job = new MainJob(new Stranger(host.Http, api));

        await job.SetUpAsync();
        await job.SignUpAsync();
        await job.BookAndBillAsync();
        await job.SellAtOnceAsync();
        await job.ChangeBookingsAsync();
        await job.RepeatAsync();
        await job.RenewAsync();
        await job.LookAtEverythingAsync();
        await job.FillAWalletAsync();
        await job.ChangeEverythingAsync();

        Assert.Equal(Elsewhere, api.Operations.Select(o => o.Id).Except(job.Client.Used).Order(StringComparer.Ordinal));
        Assert.Empty(host.Log.Errors);
    }

    private sealed class MainJob(Stranger client)
    {
        private readonly Dictionary<string, (string Customer, string Member, string Membership)> _people = [];
        private string _group = string.Empty;
        private string _location = string.Empty;
        private string _tax = string.Empty;
        private string _plan = string.Empty;
        private string _rate = string.Empty;
        private string _room = string.Empty;
        private string _booking = string.Empty;
        private string _billRun = string.Empty;

        public Stranger Client => client;

        public async Task SetUpAsync()
        {
            JsonObject salto = await client.ControlAsync(
                "/local/salto/control/sites", new() { ["name"] = "Mitte", ["seats"] = 9, ["groups"] = new JsonArray("members"), ["users"] = new JsonArray() });
            _group = (string)salto["groups"]!["members"]!;
            await client.CallAsync("owner", "Operator_Activate", []);
            await client.EditAsync("Operator_Get", "Operator_Edit", [], new()
            {
                ["automaticCollection"] = true,
                ["salto"] = new JsonObject { ["unsubscribeWhenAllRevoked"] = true, ["siteId"] = (string)salto["siteId"]!, ["groups"] = new JsonArray(_group) },
            });
            _location = await NewAsync("Locations_Create", new() { ["timeZone"] = "Europe/Berlin", ["currency"] = "eur" });
            _tax = await NewAsync("TaxRates_Create", new() { ["components"] = new JsonArray(new JsonObject { ["name"] = "VAT", ["percent"] = 19 }) });
            _plan = await NewAsync("Plans_Create", PlanOf("200.00", isDefault: false, new JsonArray(_group)));
            await NewAsync("Plans_Create", PlanOf("0.00", isDefault: true, []));
            _rate = await NewAsync("Rates_Create", new() { ["hourlyPrice"] = Eur("12.00"), ["taxRateId"] = _tax });
            _room = await NewAsync("Resources_Create", new() { ["locationId"] = _location, ["capacity"] = 6, ["rateId"] = _rate });
        }

        public async Task SignUpAsync()
        {
            foreach (string name in (string[])["Ada", "Bob", "Carol", "Dan"])
            {
                string mail = name.ToLowerInvariant() + "@example.test";
                string customer = await NewAsync("Customers_Create", new() { ["name"] = name, ["billingEmail"] = mail });
                string member = await NewAsync("Members_Create", new() { ["customerId"] = customer, ["locationId"] = _location, ["email"] = mail });
                await CardAsync(customer, "pm_card_visa");
                JsonObject membership = await client.CallAsync(member, "Memberships_SignUp", [], new() { ["planId"] = _plan });
                Assert.Equal("active", (string?)membership["status"]);
                _people[name] = (customer, member, (string)membership["id"]!);
                Assert.Equal("paid", Assert.Single(await InvoicesAsync(name))["settlement"]!.GetValue<string>());
            }

            await client.AdvanceToAsync("2025-01-01T08:10:00Z");
            Assert.Equal([_group], await DoorsAsync("Ada"));
        }

        public async Task BookAndBillAsync()
        {
            JsonObject slot = new() { ["resourceId"] = _room, ["start"] = "2025-01-06T13:00:00Z", ["end"] = "2025-01-06T14:30:00Z" };
            JsonObject booking = await client.CallAsync(_people["Ada"].Member, "Bookings_Create", [], slot);
            Assert.Equal("18.00", (string?)booking["price"]!["amount"]);
            Assert.Equal("booking_conflict", await client.RefusedAsync(_people["Dan"].Member, "Bookings_Create", [], slot));
            JsonObject later = slot.DeepClone().AsObject().With("start", "2025-03-06T13:00:00Z").With("end", "2025-03-06T14:00:00Z");
            _booking = (string)(await client.CallAsync(_people["Bob"].Member, "Bookings_Create", [], later))["id"]!;
            _billRun = (string)(await client.CallAsync("staff", "BillRuns_Start", []))["id"]!;
            await client.AdvanceToAsync("2025-01-01T10:00:00Z");
            Assert.Equal("completed", (string?)(await client.CallAsync("staff", "BillRuns_Get", [_billRun]))["state"]);
            Assert.Contains(await InvoicesAsync("Ada"), i => ((string)i["kind"]!, (string)i["settlement"]!) == ("billRun", "paid"));
        }

        /// <summary>What is free and what it costs, a booking that is paid at once, a visitor, and bookings at new terms.</summary>
        public async Task SellAtOnceAsync()
        {
            (_, string ada, _) = _people["Ada"];
            JsonObject slot = new() { ["resourceId"] = _room, ["start"] = "2025-01-07T13:00:00Z", ["end"] = "2025-01-07T14:00:00Z" };
            JsonObject free = await client.CallAsync(ada, "Resources_Availability", ["location=" + _location, "from=2025-01-06", "to=2025-01-07"]);
            Assert.Equal("2025-01-06T13:00:00Z", (string?)free["resources"]![0]!["busy"]![0]!["start"]);
            JsonObject preview = await client.CallAsync(ada, "Bookings_Preview", [], slot);
            Assert.Equal((true, "14.28"), ((bool)preview["available"]!, (string?)preview["total"]!["amount"]));
            JsonObject hold = slot.DeepClone().AsObject().With("hold", true).With("quoteId", (string)preview["quoteId"]!);
            string held = (string)(await client.CallAsync(ada, "Bookings_Create", [], hold))["id"]!;
            Assert.Equal("paid", (string?)(await client.CallAsync(ada, "Bookings_Pay", [held]))["accounting"]);

            string hall = await NewRoomAsync("everyone", requiresApproval: false);
            JsonObject evening = slot.DeepClone().AsObject().With("resourceId", hall);
            Assert.Equal("14.28", (string?)(await client.CallAsync("staff", "Storefront_Preview", [], evening))["total"]!["amount"]);
            evening = evening.With("email", "zoe@example.test").With("paymentMethodId", "pm_card_visa");
            Assert.Equal("confirmed", (string?)(await client.CallAsync("staff", "Storefront_Book", [], evening))["state"]);

            await client.AdvanceToAsync("2025-01-01T10:10:00Z");
            Assert.Empty((await client.CallAsync("staff", "Bookings_PreviewReaccount", [ada]))["results"]!.AsArray());
            Assert.Empty((await client.CallAsync("staff", "Bookings_Reaccount", [ada]))["results"]!.AsArray());
        }

        /// <summary>What becomes of bookings: moved, cancelled, approved and rejected, checked in, cancelled together.</summary>
        public async Task ChangeBookingsAsync()
        {
            string carol = _people["Carol"].Member;
            JsonObject slot = new() { ["resourceId"] = _room, ["start"] = "2025-01-08T13:00:00Z", ["end"] = "2025-01-08T14:00:00Z" };
            string booked = await BookAsync(carol, slot);
            JsonObject longer = new() { ["end"] = "2025-01-08T15:00:00Z" };
            JsonObject preview = await client.CallAsync(carol, "Bookings_PreviewChange", [booked], longer);
            JsonObject changed = await client.CallAsync(carol, "Bookings_Change", [booked], longer.With("quoteId", (string)preview["quoteId"]!));
            Assert.Equal(("12.00", "extraCharge"), ((string?)changed["summary"]!["delta"]!["amount"], (string?)changed["summary"]!["settlement"]));
            Assert.Equal("cancelled", (string?)(await client.CallAsync(carol, "Bookings_Cancel", [booked]))["state"]);

            string guarded = await NewRoomAsync("members", requiresApproval: true);
            string wanted = await BookAsync(carol, slot.DeepClone().AsObject().With("resourceId", guarded));
            Assert.Equal("confirmed", (string?)(await client.CallAsync("staff", "Bookings_Approve", [wanted]))["state"]);
            string unwanted = await BookAsync(carol, slot.DeepClone().AsObject().With("resourceId", guarded).With("start", "2025-01-08T12:00:00Z").With("end", "2025-01-08T13:00:00Z"));
            Assert.Equal("rejected", (string?)(await client.CallAsync("staff", "Bookings_Reject", [unwanted]))["cancelReason"]);

            string now = await BookAsync(carol, slot.DeepClone().AsObject().With("start", "2025-01-01T10:20:00Z").With("end", "2025-01-01T11:00:00Z"));
            Assert.Equal("checkedIn", (string?)(await client.CallAsync(carol, "Bookings_CheckIn", [now]))["state"]);

            JsonObject closed = new() { ["resourceId"] = guarded, ["from"] = "2025-01-08T00:00:00Z", ["to"] = "2025-01-09T00:00:00Z", ["bySpace"] = true };
            Assert.Single((await client.CallAsync("staff", "Bookings_PreviewBulkCancel", [], closed))["results"]!.AsArray());
            Assert.Equal("cancelled", (string?)(await client.CallAsync("staff", "Bookings_BulkCancel", [], closed))["results"]![0]!["outcome"]);
        }

        /// <summary>A weekly series with a day that is taken, changed and cancelled; and one of 120 days, which takes a message.</summary>
        public async Task RepeatAsync()
        {
            (_, string ada, _) = _people["Ada"];
            JsonObject Wish(string start, string end, string rule) => new()
            {
                ["resourceId"] = _room,
                ["localStart"] = start,
                ["localEnd"] = end,
                ["recurrence"] = new JsonObject { ["rrule"] = rule },
                ["onConflict"] = "skip",
            };
            JsonObject taken = new() { ["resourceId"] = _room, ["start"] = "2025-01-20T07:30:00Z", ["end"] = "2025-01-20T08:00:00Z" };
            string other = (string)(await client.CallAsync(_people["Dan"].Member, "Bookings_Create", [], taken))["id"]!;
            JsonObject mondays = Wish("2025-01-13T08:00:00", "2025-01-13T09:00:00", "FREQ=WEEKLY;COUNT=9");
            JsonObject preview = await client.CallAsync(ada, "RecurringBookings_Preview", [], mondays);
            JsonObject made = await client.CallAsync(ada, "RecurringBookings_Create", [], mondays);
            string series = (string)made["id"]!;
            Assert.Equal(preview["summary"]!.ToJsonString(), made["summary"]!.ToJsonString());
            Assert.Equal(("2025-01-20", 8), ((string?)made["series"]!["exclusions"]![0]!["date"], (int)made["series"]!["occurrences"]!));
            await client.CallAsync("staff", "Bookings_Cancel", [other], []);
            JsonObject included = await client.CallAsync(ada, "RecurringBookings_Include", [series], new() { ["date"] = "2025-01-20" });
            Assert.Equal(("confirmed", series), ((string?)included["state"], (string?)included["seriesId"]));

            JsonObject days = Wish("2025-06-01T20:00:00", "2025-06-01T20:30:00", "FREQ=DAILY;COUNT=120");
            JsonObject accepted = await client.CallAsync(ada, "RecurringBookings_Create", [], days);
            string operation = (string)accepted["series"]!["operationId"]!;
            await client.AdvanceToAsync("2025-01-01T10:20:00Z");
            JsonObject done = await client.CallAsync(ada, "Operations_Get", [operation]);
            Assert.Equal(("succeeded", 120), ((string?)done["state"], done["occurrences"]!.AsArray().Count(o => (string?)o!["status"] == "booked")));
            Assert.Equal(2, (await client.CallAsync(ada, "RecurringBookings_List", []))["results"]!.AsArray().Count);
            Assert.Equal(60m * 120 / 10, decimal.Parse((string)(await client.CallAsync(ada, "RecurringBookings_Summary", [(string)accepted["id"]!]))["totals"]!["estimatedAmounts"]!["fee"]!["amount"]!, CultureInfo.InvariantCulture));
            await client.CallAsync(ada, "RecurringBookings_Cancel", [(string)accepted["id"]!], new() { ["from"] = "2025-06-01" });

            // 3 March enters the horizon as 3 January begins, minutes before the timer comes.
            await client.AdvanceToAsync("2025-01-02T23:01:00Z");
            Assert.Equal("cancelledFrom", (string?)(await client.CallAsync(ada, "RecurringBookings_Get", [(string)accepted["id"]!]))["state"]);
            JsonNode entering = (await client.CallAsync(ada, "RecurringBookings_Occurrences", [series]))["results"]!.AsArray()
                .Single(o => (string?)o!["date"] == "2025-03-03")!;
            Assert.Equal(("2025-01-03", "tentative"), ((string?)entering["accountingDate"], (string?)entering["booking"]!["state"]));
            Assert.Equal("accounted", (string?)(await client.CallAsync("staff", "Bookings_Account", [(string)entering["booking"]!["id"]!]))["accounting"]);

            JsonObject later = new() { ["from"] = "2025-02-03", ["localStart"] = "2025-02-03T18:00:00" };
            JsonObject changed = await client.CallAsync(ada, "RecurringBookings_Update", [series], later);
            Assert.All(changed["occurrences"]!.AsArray(), o => Assert.Equal("moved", (string?)o!["status"]));
            string split = (string)changed["series"]!["id"]!;
            JsonObject cancelled = await client.CallAsync(ada, "RecurringBookings_Cancel", [split], new() { ["from"] = "2025-02-03" });
            Assert.Equal(6, cancelled["occurrences"]!.AsArray().Count(o => (string?)o!["status"] == "cancelled"));
        }

        public async Task RenewAsync()
        {
            await CardAsync(_people["Bob"].Customer, "pm_card_chargeCustomerFail");
            await CardAsync(_people["Carol"].Customer, "pm_card_chargeCustomerFail");
            await client.ControlAsync("/local/faults", new()
            {
                ["target"] = "stripe",
                ["method"] = "POST",
                ["path"] = "/v1/payment_intents",
                ["kind"] = "timeoutAfterEffect",
                ["match"] = _people["Dan"].Customer,
            });
            await client.AdvanceToAsync("2025-02-02T09:20:00Z");
            Assert.Equal(("active", "2025-03-01"), await RenewalAsync("Ada"));
            Assert.Equal(("delinquent", "2025-02-01"), await RenewalAsync("Bob"));
            Assert.Equal(("delinquent", "2025-02-01"), await RenewalAsync("Carol"));
            Assert.Equal(("active", "2025-03-01"), await RenewalAsync("Dan"));
            await CardAsync(_people["Carol"].Customer, "pm_card_visa");
            await client.AdvanceToAsync("2025-02-02T10:20:00Z");
            Assert.Equal(("active", "2025-03-01"), await RenewalAsync("Carol"));
            Assert.Equal([_group], await DoorsAsync("Bob"));
            await client.AdvanceToAsync("2025-02-09T00:00:00Z");
            Assert.Equal("downgraded", (await RenewalAsync("Bob")).Status);
            Assert.Empty(await DoorsAsync("Bob"));
            JsonObject dunning = await client.CallAsync("staff", "Memberships_Dunning", [_people["Bob"].Membership]);
            Assert.Equal(4, dunning["attempts"]!.AsArray().Count);
            Assert.Equal("cancelled", (string?)(await client.CallAsync("staff", "Bookings_Get", [_booking]))["state"]);
        }

        public async Task LookAtEverythingAsync()
        {
            (string customer, string member, _) = _people["Ada"];
            string[] lists = ["Locations_List", "TaxRates_List", "Plans_List", "Resources_List", "Rates_List", "Customers_List", "Members_List"];
            foreach (string list in lists)
            {
                Assert.NotEmpty((await client.CallAsync("staff", list, []))["results"]!.AsArray());
            }

            await client.CallAsync("staff", "Bookings_List", ["memberId=" + member]);
            await client.CallAsync("staff", "Memberships_List", ["locationId=" + _location]);
            await client.CallAsync("staff", "PaymentMethods_List", [customer]);
            await client.CallAsync("staff", "Members_Get", [member]);
            await client.CallAsync("staff", "TaxRates_Get", [_tax]);
            string invoice = (string)(await InvoicesAsync("Ada"))[0]["id"]!;
            await client.CallAsync("staff", "Invoices_Get", [invoice]);
            await client.CallAsync("staff", "CreditNotes_List", [invoice]);
            await client.CallAsync("staff", "AccountCredit_Get", [customer]);
            await client.CallAsync("staff", "DeadLetters_List", []);
            await SubscribeAsync(member, "Member", member);
            await SubscribeAsync("staff", "Resource", _room);
            await client.CallAsync("staff", "Health_Get", []);
            await client.CallAsync("staff", "Health_GetReady", []);
            await client.CallAsync("staff", "OpenApi_Get", []);
        }

        /// <summary>A member of a plan with credits and passes, and what staff put beside them.</summary>
        public async Task FillAWalletAsync()
        {
            await client.EditAsync("Operator_Get", "Operator_Edit", [], new() { ["bookingPassesEnabled"] = true });
            JsonArray Rooms() => new(_room);
            string plan = await NewAsync("Plans_Create", PlanOf("50.00", isDefault: false, [])
                .With("credits", new JsonArray(new JsonObject { ["name"] = "Rooms", ["resourceIds"] = Rooms(), ["minutes"] = 600 }))
                .With("passOffers", new JsonArray(
                    new JsonObject { ["name"] = "Hour", ["hours"] = 1, ["price"] = Eur("10.00"), ["taxRateId"] = _tax, ["resourceIds"] = Rooms() })));
            string customer = await NewAsync("Customers_Create", new() { ["name"] = "Fay", ["billingEmail"] = "fay@example.test" });
            string fay = await NewAsync("Members_Create", new() { ["customerId"] = customer, ["locationId"] = _location, ["email"] = "fay@example.test" });
            await CardAsync(customer, "pm_card_visa");
            await client.CallAsync(fay, "Memberships_SignUp", [], new() { ["planId"] = plan });
            await client.AdvanceToAsync("2025-02-09T00:10:00Z");
            JsonObject bought = await client.CallAsync(fay, "BookingPasses_Buy", [fay], new() { ["offer"] = "Hour", ["quantity"] = 2 });
            Assert.Equal("issued", (string?)bought["state"]);
            JsonObject invoice = await client.CallAsync(fay, "Invoices_Get", [(string)bought["invoiceId"]!]);
            Assert.Equal(("paid", "23.80"), ((string?)invoice["settlement"], (string?)invoice["total"]!["amount"]));
            JsonObject given = await client.CallAsync("staff", "BookingPasses_Assign", [fay], new() { ["offer"] = "Hour", ["quantity"] = 1 });
            await client.CallAsync("staff", "BookingPasses_Remove", [fay, (string)given["passes"]![0]!["id"]!]);
            JsonObject credit = new() { ["name"] = "Sorry", ["resourceIds"] = Rooms(), ["minutes"] = 60, ["from"] = "2025-02-01" };
            string grant = (string)(await client.CallAsync("staff", "CreditGrants_Create", [fay], credit))["id"]!;
            await client.CallAsync("staff", "CreditGrants_Withdraw", [fay, grant]);
            JsonObject wallet = await client.CallAsync(fay, "Wallet_Get", [fay]);
            Assert.Equal((120, 2), ((int)wallet["passMinutesLeft"]!, wallet["credits"]!.AsArray().Count));
        }

        public async Task ChangeEverythingAsync()
        {
            JsonObject renamed = new() { ["name"] = "Other" };
            await client.EditAsync("Locations_Get", "Locations_Edit", [_location], renamed);
            await client.EditAsync("Plans_Get", "Plans_Edit", [_plan], renamed);
            await client.EditAsync("Rates_Get", "Rates_Edit", [_rate], renamed);
            await client.EditAsync("Resources_Get", "Resources_Edit", [_room], renamed);
            await client.CallAsync("staff", "Plans_RemovePicture", [_plan], etag: "*");
            await client.CallAsync("staff", "Resources_RemovePicture", [_room], etag: "*");
            await client.EditAsync("Customers_Get", "Customers_Edit", [_people["Ada"].Customer], renamed);
            await client.CallAsync("staff", "Memberships_Assign", [], new() { ["memberId"] = _people["Bob"].Member, ["planId"] = _plan });
            await ComeAndGoAsync();
            (_, string dan, string dans) = _people["Dan"];
            JsonObject ending = await client.CallAsync(dan, "Memberships_Get", [dans]);
            await client.CallAsync(dan, "Memberships_Cancel", [dans], new() { ["on"] = "2025-02-20" }, $"\"{ending["version"]}\"");
            await client.CallAsync("owner", "Operator_Suspend", []);
        }

        /// <summary>A guest without a membership comes in with a day pass.</summary>
        private async Task ComeAndGoAsync()
        {
            string guest = await NewAsync(
                "Members_Create", new() { ["customerId"] = _people["Bob"].Customer, ["locationId"] = _location, ["email"] = "guest@example.test" });
            JsonObject here = new() { ["locationId"] = _location };
            Assert.Equal("no_passes_left", await client.RefusedAsync(guest, "CheckIns_Create", [], here));
            JsonObject pass = await client.CallAsync("staff", "DayPasses_Issue", [guest], new() { ["locationId"] = _location, ["passes"] = 2 });
            JsonObject checkIn = await client.CallAsync(guest, "CheckIns_Create", [], here);
            string id = (string)checkIn["id"]!;
            await client.CallAsync(guest, "CheckIns_CheckOut", [id]);
            Assert.Equal("member", (string?)(await client.CallAsync(guest, "CheckIns_Get", [id]))["leftBy"]);
            Assert.Single((await client.CallAsync("staff", "CheckIns_List", ["locationId=" + _location]))["results"]!.AsArray());
            await client.CallAsync("staff", "DayPasses_Cancel", [guest, (string)pass["id"]!]);
            Assert.Equal("cancelled", (string?)(await client.CallAsync(guest, "DayPasses_List", [guest]))["results"]![0]!["state"]);
        }

        private async Task SubscribeAsync(string who, string whose, string id)
        {
            string path = (string)(await client.CallAsync(who, "CalendarFeeds_CreateOf" + whose, [id]))["path"]!;
            Assert.NotNull((await client.CallAsync(who, "CalendarFeeds_GetOf" + whose, [id]))["createdAt"]);
            await client.CallAsync(who, "CalendarFeeds_Read", [path.Split('/')[^1]]);
            await client.CallAsync(who, "CalendarFeeds_RevokeOf" + whose, [id]);
            Assert.Equal("not_found", await client.RefusedAsync(who, "CalendarFeeds_Read", [path.Split('/')[^1]]));
        }

        private async Task<string> NewAsync(string operationId, JsonObject known) => (string)(await client.CallAsync("staff", operationId, [], known))["id"]!;

        private async Task<string> BookAsync(string member, JsonObject slot) => (string)(await client.CallAsync(member, "Bookings_Create", [], slot))["id"]!;

        private Task<string> NewRoomAsync(string audience, bool requiresApproval) => NewAsync("Resources_Create", new()
        {
            ["locationId"] = _location,
            ["capacity"] = 40,
            ["rateId"] = _rate,
            ["terms"] = new JsonObject
            {
                ["onlyWithinOpeningHours"] = false,
                ["bufferBeforeMinutes"] = 0,
                ["bufferAfterMinutes"] = 0,
                ["leadMinutes"] = 0,
                ["cancellationNoticeMinutes"] = 0,
                ["requiresApproval"] = requiresApproval,
                ["approvalDeadlineMinutes"] = 0,
                ["audience"] = audience,
                ["allowedPlanIds"] = new JsonArray(),
                ["allowedMemberIds"] = new JsonArray(),
            },
        });

        private JsonObject PlanOf(string price, bool isDefault, JsonArray groups) => new()
        {
            ["locationId"] = _location,
            ["price"] = Eur(price),
            ["taxRateId"] = _tax,
            ["accessGroups"] = groups,
            ["isDefault"] = isDefault,
            ["isPublic"] = true,
        };

        private Task<JsonObject> CardAsync(string customer, string card) =>
            client.CallAsync("staff", "PaymentMethods_Add", [customer], new() { ["paymentMethod"] = card });

        private async Task<List<JsonObject>> InvoicesAsync(string name) =>
            [.. (await client.CallAsync("staff", "Invoices_List", ["customerId=" + _people[name].Customer]))["results"]!.AsArray().Select(i => i!.AsObject())];

        private async Task<string[]> DoorsAsync(string name) =>
            [.. (await client.CallAsync("staff", "Access_Get", [_people[name].Member]))["appliedGroups"]!.AsArray().Select(g => (string)g!)];

        private async Task<(string Status, string? NextRenewalOn)> RenewalAsync(string name)
        {
            JsonObject membership = await client.CallAsync("staff", "Memberships_Get", [_people[name].Membership]);
            return ((string)membership["status"]!, (string?)membership["nextRenewalOn"]);
        }

        private static JsonObject Eur(string amount) => new() { ["amount"] = amount, ["currency"] = "eur" };
    }
}
