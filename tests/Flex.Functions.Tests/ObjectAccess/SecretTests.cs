using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Flex.Kernel;
using Flex.Members;
using Flex.Platform.Http;
using Flex.Platform.Identity;
using Xunit;

namespace Flex.Functions.Tests.ObjectAccess;

/// <summary>What is not an id and is worth something in the wrong hands: tokens of feeds, signatures, quotes, cursors, keys, payment methods.</summary>
public sealed class SecretTests(Premises premises) : IClassFixture<Premises>
{
    /// <summary>Where in a store a cursor can be made to point: other rows' prefixes, both ends, and what is no key at all.</summary>
    private static readonly string[] Positions = ["", "\u0001", "!", "0", "A", "C|", "K|", "P|", "~", "zzz", "mbr_", "cus_", "2025-02-03", "é"];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static TheoryData<string> Lists =>
    [
        .. new FunctionCatalog(typeof(FlexApp).Assembly).Entries
            .Where(e => e.Operation?.Response is { IsGenericType: true } view && view.GetGenericTypeDefinition() == typeof(PageOf<>))
            .Select(e => e.Name),
    ];

    [Fact]
    public async Task A_feed_is_read_with_its_token_until_it_is_replaced_or_revoked_and_then_like_one_that_never_was()
    {
        string own = premises.TokenOf(premises.Ben);
        string path = $"/api/v1/members/{premises.Ben.Member}/calendar-feed";
        string first = premises.Ben.Feed;
        Seen open = await ReadAsync(first);
        string second = await RenewAsync();
        Seen replaced = await ReadAsync(first);
        Seen again = await ReadAsync(second);
        await premises.SendAsync(own, HttpMethod.Delete, path);
        Seen revoked = await ReadAsync(second);
        Seen never = await ReadAsync($"feed_{new string('A', 43)}.ics");
        Seen noToken = await ReadAsync("feed_1.ics");

        Assert.Equal((200, 200, 404), (open.Status, again.Status, never.Status));
        Assert.All([replaced, revoked, noToken], seen => Assert.Equal(never.Text, seen.Text));

        Task<Seen> ReadAsync(string file) => premises.SendAsync(null, HttpMethod.Get, "/api/v1/calendar-feeds/" + file);

        async Task<string> RenewAsync() => ((string)(await premises.SendAsync(own, HttpMethod.Post, path)).Json["path"]!).Split('/')[^1];
    }

    [Theory]
    [InlineData(null)]
    [InlineData("whsec_other")]
    public async Task An_event_without_the_gateways_signature_is_refused_whoever_sends_it(string? secret)
    {
        Guarded webhook = AccessTable.Of("Webhooks_Stripe") with
        {
            Signature = (w, body) => secret is null ? ("Stripe-Signature", "t=1,v1=00") : AccessTable.Signed(w, body, secret),
        };
        string before = await premises.StateAsync();

        foreach (Client client in premises.Clients)
        {
            Seen seen = await webhook.SendAsync(premises, client, null);

            Assert.Equal((400, ErrorCodes.InvalidSignature), (seen.Status, seen.Code));
        }

        Assert.Equal(before, await premises.StateAsync());
    }

    [Fact]
    public async Task A_quote_is_good_for_the_member_it_was_made_for()
    {
        JsonObject wish = Bodies.Booking(premises, premises.Room);
        Seen preview = await PostAsync(premises.Ada, "bookings/preview", wish);
        JsonObject quoted = wish.DeepClone().AsObject().With("quoteId", (string)preview.Json["quoteId"]!);
        string before = await premises.StateAsync();

        Seen others = await PostAsync(premises.Cleo, "bookings", quoted);
        Seen colleagues = await PostAsync(premises.Ben, "bookings", quoted);
        Seen nobodys = await PostAsync(premises.Cleo, "bookings", wish.DeepClone().AsObject().With("quoteId", "1.AAAA"));
        string after = await premises.StateAsync();
        Seen own = await PostAsync(premises.Ada, "bookings", quoted);

        Assert.Equal((409, ErrorCodes.QuoteStale), (others.Status, others.Code));
        Assert.Equal((nobodys.Text, nobodys.Text), (others.Text, colleagues.Text));
        Assert.Equal(before, after);
        Assert.Equal(201, own.Status);
    }

    /// <summary>That something is taken has to be told; by whom has not.</summary>
    [Fact]
    public async Task Whoever_wants_what_is_taken_is_not_told_by_whom()
    {
        Seen cleos = await premises.SendAsync(premises.TokenOf(premises.Cleo), HttpMethod.Get, "/api/v1/bookings/" + premises.Cleo.Bookings["Bookings_Get"]);
        JsonObject slot = new()
        {
            ["resourceId"] = premises.Room,
            ["start"] = (string?)cleos.Json["start"],
            ["end"] = (string?)cleos.Json["end"],
        };
        JsonObject series = new()
        {
            ["resourceId"] = premises.Room,
            ["localStart"] = (string?)cleos.Json["localStart"],
            ["localEnd"] = ((string)cleos.Json["localStart"]!).Replace(":00:00", ":30:00", StringComparison.Ordinal),
            ["recurrence"] = new JsonObject { ["rrule"] = "FREQ=WEEKLY;COUNT=2" },
        };
        string own = premises.Ada.Bookings["Bookings_Get"];
        string date = ((string)cleos.Json["start"]!)[..10];

        Seen[] taken =
        [
            await PostAsync(premises.Ada, "bookings", slot),
            await PostAsync(premises.Ada, $"bookings/{own}/change", slot),
            await PostAsync(premises.Ada, $"bookings/{own}/change/preview", slot),
            await PostAsync(premises.Ada, "recurring-bookings", series),
        ];
        Seen[] told =
        [
            .. taken,
            await PostAsync(premises.Ada, "bookings/preview", slot),
            await PostAsync(premises.Ada, "recurring-bookings/preview", series),
            await premises.SendAsync(
                premises.TokenOf(premises.Ada), HttpMethod.Get, $"/api/v1/resources/availability?location={premises.Location}&from={date}&to={date}"),
        ];

        Assert.All(taken, seen => Assert.Equal((409, ErrorCodes.BookingConflict), (seen.Status, seen.Code)));
        Assert.All(told, seen => Assert.All(premises.Cleo.Secrets, secret => Assert.DoesNotContain(secret, seen.Text, StringComparison.Ordinal)));
        Assert.All(told, seen => Assert.True(seen.Status < 500, seen.Text));
    }

    /// <summary>Of every list: a cursor is no secret, so whoever makes one up must gain nothing.</summary>
    [Theory]
    [MemberData(nameof(Lists))]
    public async Task A_cursor_that_somebody_made_up_shows_nothing_that_the_list_does_not(string function)
    {
        Guarded list = AccessTable.Of(function);
        Client[] callers = [.. premises.Clients.Where(c => list.Reach switch
        {
            Reach.Owner => c.Role == Role.Owner,
            Reach.Staff => c.IsStaff,
            _ => c.Person is not null,
        })];

        Assert.NotEmpty(callers);
        foreach (Client client in callers)
        {
            string? thing = list.Thing?.Invoke(premises, client.Person ?? premises.Ben);
            await MakeUpCursorsAsync(list, client, thing, list.Query?.Invoke(thing) ?? string.Empty);
        }
    }

    [Fact]
    public async Task Nor_does_one_that_staff_made_up_for_a_place()
    {
        foreach (Client client in premises.Clients.Where(c => c.IsStaff))
        {
            await MakeUpCursorsAsync(AccessTable.Of("Memberships_List"), client, null, $"locationId={premises.Location}");
            await MakeUpCursorsAsync(AccessTable.Of("Bookings_List"), client, null, $"resourceId={premises.Room}&from=2025-02-01&to=2025-02-28");
            await MakeUpCursorsAsync(AccessTable.Of("Members_List"), client, null, $"customerId={premises.Ada.Customer}");
        }
    }

    [Fact]
    public async Task A_cursor_of_anothers_list_goes_on_in_the_callers_own()
    {
        foreach (string function in new[] { "Bookings_List", "RecurringBookings_List", "Invoices_List" })
        {
            Guarded list = AccessTable.Of(function);
            Client cleo = premises.Clients.Single(c => c.Person == premises.Cleo);
            Client ada = premises.Clients.First(c => c.Person == premises.Ada);
            Seen first = await list.SendAsync(premises, ada, null, query: "limit=1");
            Seen own = await list.SendAsync(premises, cleo, null, query: "limit=1");
            string cursor = (string)first.Json["cursorNext"]!;

            Seen seen = await list.SendAsync(premises, cleo, null, query: $"limit=1&cursor={cursor}");
            string adas = list.Query!(list.Thing!(premises, premises.Ada));
            Seen filtered = await list.SendAsync(premises, cleo, null, query: $"{adas}&cursor={cursor}");

            Assert.Equal((200, 200, 400), (own.Status, seen.Status, filtered.Status));
            Assert.All(premises.Ada.Secrets, secret => Assert.DoesNotContain(secret, seen.Text + filtered.Text, StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task The_same_key_is_another_one_in_anothers_hands()
    {
        JsonObject slot = Bodies.Booking(premises, premises.Room);
        JsonObject card = new() { ["paymentMethod"] = "pm_card_visa" };
        JsonObject plan = new() { ["planId"] = premises.Plan };
        Client impostor = premises.Clients.Single(c => c.Name == "Ada by an issuer of members");
        string acme = $"customers/{premises.Ada.Customer}/payment-methods";

        Seen booked = await PostAsync(premises.Ada, "bookings", slot, "shared");
        Seen same = await PostAsync(premises.Cleo, "bookings", slot, "shared");
        Seen colleagues = await PostAsync(premises.Ben, "bookings", slot, "shared");
        Seen other = await PostAsync(premises.Cleo, "bookings", Bodies.Booking(premises, premises.Room), "shared");
        Seen otherIssuer = await premises.SendAsync(impostor.Token, HttpMethod.Post, "/api/v1/bookings", slot, "shared");
        Seen staffs = await premises.SendAsync(
            premises.TokenOf(Role.Staff), HttpMethod.Post, "/api/v1/bookings", slot.DeepClone().AsObject().With("memberId", premises.Ada.Member), "shared");
        Seen again = await PostAsync(premises.Ada, "bookings", slot, "shared");
        Seen[] signUps =
        [
            await PostAsync(premises.Ada, "memberships/sign-up", plan, "shared"),
            await PostAsync(premises.Cleo, "memberships/sign-up", plan, "shared"),
        ];
        Seen[] cards =
        [
            await PostAsync(premises.Ada, acme, card, "shared"),
            await PostAsync(premises.Ben, acme, new() { ["paymentMethod"] = "pm_card_amex" }, "shared"),
        ];

        Assert.Equal((201, 201), (booked.Status, other.Status));
        Assert.All([same, colleagues, otherIssuer, staffs], seen => Assert.Equal((409, ErrorCodes.BookingConflict), (seen.Status, seen.Code)));
        Assert.DoesNotContain((string)booked.Json["id"]!, same.Text + colleagues.Text + otherIssuer.Text, StringComparison.Ordinal);
        Assert.Equal((string?)booked.Json["id"], (string?)again.Json["id"]);
        Assert.Equal([premises.Ada.Member, premises.Cleo.Member], signUps.Select(s => (string?)s.Json["memberId"]));
        Assert.All(cards, seen => Assert.Equal(201, seen.Status));
    }

    /// <summary>Even for somebody who has found out the gateway's id, which no answer tells.</summary>
    [Fact]
    public async Task Anothers_payment_method_is_answered_as_one_that_does_not_exist_and_is_not_charged()
    {
        CustomerStore customers = premises.World.Get<CustomerStore>();
        Customer acme = (await customers.FindAsync(EntityId.Parse<CustomerId>(premises.Ada.Customer), Cancel))!;
        string stolen = acme.PaymentMethod!.Id;
        string path = $"customers/{premises.Cleo.Customer}/payment-methods";
        Seen before = await premises.SendAsync(premises.TokenOf(premises.Cleo), HttpMethod.Get, "/api/v1/" + path);
        int payments = premises.World.Stripe.Audit().PaymentIntents.Count;

        Seen added = await PostAsync(premises.Cleo, path, new() { ["paymentMethod"] = stolen });
        Seen unknown = await PostAsync(premises.Cleo, path, new() { ["paymentMethod"] = "pm_1Nothing" });
        Seen booked = await VisitAsync(stolen);
        Seen unbooked = await VisitAsync("pm_1Nothing");

        Assert.Equal((422, ErrorCodes.UnknownReference), (unknown.Status, unknown.Code));
        Assert.Equal((unknown.Text, unbooked.Text), (added.Text, booked.Text));
        Assert.Equal(before.Text, (await premises.SendAsync(premises.TokenOf(premises.Cleo), HttpMethod.Get, "/api/v1/" + path)).Text);
        Assert.Equal(acme, await customers.FindAsync(acme.Id, Cancel));
        Assert.Equal(payments, premises.World.Stripe.Audit().PaymentIntents.Count);

        Task<Seen> VisitAsync(string paymentMethod) => premises.SendAsync(
            null, HttpMethod.Post, "/api/v1/storefront/bookings", Bodies.Visitor(premises, paymentMethod), premises.NextKey());
    }

    private Task<Seen> PostAsync(Person person, string path, JsonObject body, string? key = null) =>
        premises.SendAsync(premises.TokenOf(person), HttpMethod.Post, "/api/v1/" + path, body, key ?? premises.NextKey());

    private async Task MakeUpCursorsAsync(Guarded list, Client client, string? thing, string query)
    {
        HashSet<string> whole = ItemsOf(await list.SendAsync(premises, client, thing, query: query));
        foreach (string position in Positions.Concat(premises.People.SelectMany(p => p.Secrets.Concat(p.SecretsOfCustomer))))
        {
            string cursor = Forge(list, thing, query, position);
            Seen seen = await list.SendAsync(premises, client, thing, query: $"{query}{(query.Length == 0 ? string.Empty : "&")}cursor={cursor}");

            Assert.True(seen.Status == 200, $"{client} at {position}: {seen.Text}");
            Assert.Subset(whole, ItemsOf(seen));
        }
    }

    private static HashSet<string> ItemsOf(Seen seen)
    {
        Assert.True(seen.Status == 200, seen.Text);
        return [.. seen.Json["results"]!.AsArray().Select(i => i!.ToJsonString())];
    }

    /// <summary>As <see cref="Paging"/> seals cursors, which is no secret.</summary>
    private string Forge(Guarded list, string? thing, string query, string position)
    {
        FunctionEntry entry = premises.Catalog.Find(list.Function)!;
        string path = Guarded.Path(entry, thing, part: null);
        string filters = string.Join('&', query.Split('&', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal));
        string scope = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{path.ToLowerInvariant()}?{filters}")));
        return new Paging(Paging.MaxLimit, null, scope).Cursor(position);
    }
}
