using Flex.Bookings;
using Flex.Catalogue;
using Flex.Functions.Tests.Platform.Http;
using Flex.Invoicing;
using Flex.Kernel;
using Flex.Members;
using Flex.Platform;
using Flex.Platform.Messaging;
using NodaTime;
using Xunit;

namespace Flex.Functions.Tests.Bookings;

/// <summary>What happens to bookings of <see cref="Spaces"/> after they were made.</summary>
internal static class Lives
{
    /// <summary>A room at 12.00 an hour with these terms.</summary>
    public static Task<ResourceId> AddRoomAsync(this Spaces spaces, BookingTerms terms, RateId? rate = null) =>
        spaces.AddAsync<ResourceId>("Resources_Create", RoomOf(spaces, terms, rate));

    public static async Task SetTermsAsync(this Spaces spaces, ResourceId room, BookingTerms terms)
    {
        Answer answer = await spaces.SendAsync("Resources_Edit", RoomOf(spaces, terms, null), id: room.Value, headers: ("If-Match", "*"));
        Assert.True(answer.Status == 200, answer.Body);
    }

    public static Task<RateId> AddRateAsync(this Spaces spaces, string hourly) => spaces.AddAsync<RateId>(
        "Rates_Create", new { name = "Other", hourlyPrice = Spaces.Money(hourly), taxRateId = (string?)null, locationIds = Array.Empty<string>() });

    public static async Task SetRateAsync(this Spaces spaces, string hourly)
    {
        Answer answer = await spaces.SendAsync(
            "Rates_Edit",
            new { name = "Rooms", hourlyPrice = Spaces.Money(hourly), taxRateId = (string?)null, locationIds = Array.Empty<string>() },
            id: spaces.Rate.Value,
            headers: ("If-Match", "*"));
        Assert.True(answer.Status == 200, answer.Body);
    }

    /// <summary>The member's plan gives minutes for the rooms from now on; its cycles begin on the anchor's day.</summary>
    public static async Task GiveCreditAsync(this Spaces spaces, int minutes, LocalDate? anchor = null, params ResourceId[] rooms)
    {
        ResourceId[] covered = rooms.Length == 0 ? [spaces.Room] : rooms;
        PlanId plan = await spaces.AddPlanAsync(("credits", new[] { new { name = "Rooms", resourceIds = covered.Select(r => r.Value), minutes } }));
        MembershipStanding standing = await spaces.StandingAsync();
        await spaces.SetStandingAsync(
            spaces.Member, standing with { PlanId = plan, AnchorDate = anchor ?? standing.AnchorDate, Version = standing.Version + 1 });
    }

    public static async Task<BookingId> BookedAsync(this Spaces spaces, string start, string end, ResourceId? room = null, string caller = "staff")
    {
        Answer answer = await spaces.BookAsync(start, end, caller, room: room);
        Assert.True(answer.Status == 201, answer.Body);
        return EntityId.Parse<BookingId>((string)answer.Json["id"]!);
    }

    public static Task<Answer> ChangeAsync(this Spaces spaces, BookingId id, object body, string caller = "staff", string? key = null) =>
        spaces.SendAsync("Bookings_Change", body, caller, id.Value, headers: key is null ? [] : [("Idempotency-Key", key)]);

    public static Task<Answer> CancelAsync(this Spaces spaces, BookingId id, object? body = null, string caller = "staff", string? key = null) =>
        spaces.SendAsync("Bookings_Cancel", body ?? new { }, caller, id.Value, headers: key is null ? [] : [("Idempotency-Key", key)]);

    public static async Task<Booking> ReadAsync(this Spaces spaces, BookingId id) =>
        (await spaces.Get<BookingStore>().ReadAsync(id, Spaces.Cancellation))!.Value;

    public static void SetTime(this Spaces spaces, Instant to) => spaces.App.Time.SetUtcNow(to.ToDateTimeOffset());

    /// <summary>What billing would say of a booking's charges that are still owed: they are on an invoice, with 10 per cent tax, and paid or not.</summary>
    public static async Task InvoiceAsync(this Spaces spaces, BookingId id, bool isPaid)
    {
        Booking booking = await spaces.ReadAsync(id);
        InvoicedCharge[] lines = [.. booking.Charges.Where(c => c.CancelledAt is null).Select(c => new InvoicedCharge(c.Id, id.Value, c.Net, c.Net + c.Net.Times(1, 10)))];
        InvoiceId invoice = EntityId.Derive<InvoiceId>($"{id} {booking.Version}");
        await spaces.DeliverAsync(
            Queues.Bookings, new Envelope($"{invoice}.i", ChargesInvoiced.Subject, StorageJson.Write(new ChargesInvoiced(invoice, lines)), null));
        if (isPaid)
        {
            await spaces.DeliverAsync(
                Queues.Bookings, new Envelope($"{invoice}.p", ChargesPaid.Subject, StorageJson.Write(new ChargesPaid(invoice, lines)), null));
        }
    }

    /// <summary>Drains the queue of bookings and checks everything there is to check.</summary>
    public static async Task SettleAsync(this Spaces spaces, params ResourceId[] rooms)
    {
        await spaces.DrainAsync(Queues.Bookings);
        foreach (ResourceId room in rooms.Append(spaces.Room))
        {
            BookingInvariants.Check(spaces.Tables, spaces.Location, room);
        }

        BookingInvariants.CheckAccounts(spaces, spaces.Member);
    }

    private static object RoomOf(Spaces spaces, BookingTerms terms, RateId? rate) => new
    {
        locationId = spaces.Location.Value,
        name = "Red room",
        kind = "meetingRoom",
        capacity = 8,
        rateId = (rate ?? spaces.Rate).Value,
        isPublished = true,
        terms,
    };
}
