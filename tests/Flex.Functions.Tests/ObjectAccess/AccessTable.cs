using System.Text.Json.Nodes;
using Flex.Local.Runtime.Hosting;
using Flex.Payments;
using Flex.Platform.Messaging;
using Stripe;

namespace Flex.Functions.Tests.ObjectAccess;

/// <summary>
/// Every HTTP function: what it is about and who reaches that. In the order in which <see cref="PermittedAccessTests"/> calls them: what
/// ends something comes after what needs it.
/// </summary>
internal static class AccessTable
{
    private const string Event = """
        {"id":"evt_any","object":"event","type":"payment_intent.succeeded","livemode":false,"data":{"object":{"id":"pi_any","object":"payment_intent"}}}
        """;

    public static IReadOnlyList<Guarded> All { get; } =
    [
        // Public, or with a secret of its own in the request.
        new("Health_Get", Reach.Anyone),
        new("Health_GetReady", Reach.Anyone),
        new("OpenApi_Get", Reach.Anyone),
        new("zz_NotFound", Reach.Anyone) { Success = 404 },
        new("Storefront_Preview", Reach.Anyone) { Body = (w, _) => Bodies.Booking(w, w.Hall) },
        new("Storefront_Book", Reach.Anyone) { Body = (w, _) => Bodies.Visitor(w) },
        new("CalendarFeeds_Read", Reach.Anyone, (_, p) => p.Feed),
        new("Webhooks_Stripe", Reach.Anyone)
        {
            Body = (_, _) => JsonNode.Parse(Event)!.AsObject(),
            Signature = (w, body) => Signed(w, body, LocalModules.WebhookSecret),
        },

        // The space.
        new("Locations_List", Reach.AnyRole),
        new("Locations_Get", Reach.AnyRole, (w, _) => w.Location),
        new("Locations_Create", Reach.Staff) { Body = (_, _) => Bodies.Location() },
        new("Locations_Edit", Reach.Staff, (w, _) => w.Location) { Body = (_, _) => Bodies.Location() },
        new("TaxRates_List", Reach.Staff),
        new("TaxRates_Get", Reach.Staff, (w, _) => w.Tax),
        new("TaxRates_Create", Reach.Staff) { Body = (_, _) => Bodies.Tax() },
        new("Plans_List", Reach.AnyRole),
        new("Plans_Get", Reach.AnyRole, (w, _) => w.Plan) { Hidden = w => w.HiddenPlan },
        new("Plans_GetPicture", Reach.AnyRole, (w, _) => w.Plan) { Hidden = w => w.HiddenPlan },
        new("Plans_Create", Reach.Staff) { Body = (w, _) => Bodies.Plan(w, "Other") },
        new("Plans_Edit", Reach.Staff, (w, _) => w.Plan) { Body = (w, _) => Bodies.Plan(w, "Resident") },
        new("Plans_SetPicture", Reach.Staff, (w, _) => w.Plan) { Picture = "of a plan" },
        new("Plans_RemovePicture", Reach.Staff, (w, _) => w.Plan),
        new("Resources_List", Reach.AnyRole),
        new("Resources_Get", Reach.AnyRole, (w, _) => w.Club) { Hidden = w => w.HiddenRoom },
        new("Resources_GetPicture", Reach.AnyRole, (w, _) => w.Room) { Hidden = w => w.HiddenRoom },
        new("Resources_Availability", Reach.AnyRole, (w, _) => w.Location) { Query = id => $"location={id}&from=2025-02-01&to=2025-02-28" },
        new("Resources_Create", Reach.Staff) { Body = (w, _) => Bodies.Resource(w, "Other") },
        new("Resources_Edit", Reach.Staff, (w, _) => w.Room) { Body = (w, _) => Bodies.Resource(w, "Aquarium") },
        new("Resources_SetPicture", Reach.Staff, (w, _) => w.Room) { Picture = "of a resource" },
        new("Resources_RemovePicture", Reach.Staff, (w, _) => w.Room),
        new("Rates_List", Reach.AnyRole),
        new("Rates_Get", Reach.AnyRole, (w, _) => w.Rate),
        new("Rates_Create", Reach.Staff) { Body = (w, _) => Bodies.Rate(w) },
        new("Rates_Edit", Reach.Staff, (w, _) => w.Rate) { Body = (w, _) => Bodies.Rate(w) },
        new("CalendarFeeds_CreateOfResource", Reach.Staff, (w, _) => w.Room),
        new("CalendarFeeds_GetOfResource", Reach.Staff, (w, _) => w.Room),
        new("CalendarFeeds_RevokeOfResource", Reach.Staff, (w, _) => w.Room),

        // Customers and members.
        new("Customers_List", Reach.Staff),
        new("Customers_Get", Reach.Customer, (_, p) => p.Customer),
        new("Customers_Create", Reach.Staff) { Body = (_, _) => Bodies.Customer("Other") },
        new("Customers_Edit", Reach.Staff, (_, p) => p.Customer) { Body = (_, _) => Bodies.Customer("Other") },
        new("PaymentMethods_List", Reach.Customer, (_, p) => p.Customer),
        new("PaymentMethods_Add", Reach.Customer, (_, p) => p.Customer) { Body = (_, _) => new() { ["paymentMethod"] = "pm_card_mastercard" } },
        new("AccountCredit_Get", Reach.Customer, (_, p) => p.Customer),
        new("Members_List", Reach.Staff),
        new("Members_Get", Reach.Member, (_, p) => p.Member),
        new("Members_Create", Reach.Staff, (_, p) => p.Customer) { Body = (w, id) => Bodies.Member(w, w.Cleo).With("customerId", id) },
        new("Access_Get", Reach.Member, (_, p) => p.Member),
        new("CalendarFeeds_GetOfMember", Reach.Member, (_, p) => p.Member),
        new("CalendarFeeds_CreateOfMember", Reach.Member, (_, p) => p.Member),
        new("CalendarFeeds_RevokeOfMember", Reach.Member, (_, p) => p.Member),

        // Bookings.
        new("Bookings_List", Reach.Member, (_, p) => p.Member) { Query = Any("memberId") },
        new("Bookings_Get", Reach.Member, (_, p) => p.Bookings["Bookings_Get"]),
        new("Bookings_Preview", Reach.Member, (_, p) => p.Member) { Body = (w, id) => Bodies.Booking(w, w.Room, id) },
        new("Bookings_Create", Reach.Member, (_, p) => p.Member) { Body = (w, id) => Bodies.Booking(w, w.Room, id) },
        new("Bookings_Pay", Reach.Member, (_, p) => p.Bookings["Bookings_Pay"]),
        new("Bookings_PreviewChange", Reach.Member, (_, p) => p.Bookings["Bookings_PreviewChange"]) { Body = (w, _) => w.NextSlot() },
        new("Bookings_Change", Reach.Member, (_, p) => p.Bookings["Bookings_Change"]) { Body = (w, _) => w.NextSlot() },
        new("Bookings_Cancel", Reach.Member, (_, p) => p.Bookings["Bookings_Cancel"]) { Body = (_, _) => [] },
        new("Bookings_CheckIn", Reach.Member, (_, p) => p.Bookings["Bookings_CheckIn"]),
        new("Bookings_Approve", Reach.Staff, (_, p) => p.Bookings["Bookings_Approve"]),
        new("Bookings_Reject", Reach.Staff, (_, p) => p.Bookings["Bookings_Reject"]),
        new("Bookings_Account", Reach.Staff, (_, p) => p.Bookings["Bookings_Account"]),
        new("Bookings_PreviewReaccount", Reach.Staff, (_, p) => p.Member) { Body = (_, _) => [] },
        new("Bookings_Reaccount", Reach.Staff, (_, p) => p.Member) { Body = (_, _) => [] },
        new("Bookings_PreviewBulkCancel", Reach.Staff, (_, p) => p.Bookings["Bookings_Get"]) { Body = (_, id) => Together(id) },
        new("Bookings_BulkCancel", Reach.Staff, (_, p) => p.Bookings["Bookings_Get"]) { Body = (_, id) => Together(id) },

        // Recurring bookings.
        new("RecurringBookings_List", Reach.Member, (_, p) => p.Member) { Query = Any("memberId") },
        new("RecurringBookings_Get", Reach.Member, (_, p) => p.Series["RecurringBookings_Get"]),
        new("RecurringBookings_Summary", Reach.Member, (_, p) => p.Series["RecurringBookings_Get"]),
        new("RecurringBookings_Occurrences", Reach.Member, (_, p) => p.Series["RecurringBookings_Get"]),
        new("Operations_Get", Reach.Member, (_, p) => p.Operation),
        new("RecurringBookings_Preview", Reach.Member, (_, p) => p.Member) { Body = (w, id) => Bodies.Series(w, "2025-04-07", member: id) },
        new("RecurringBookings_Create", Reach.Member, (_, p) => p.Member) { Body = (w, id) => Bodies.Series(w, "2025-04-07", member: id) },
        new("RecurringBookings_Include", Reach.Member, (_, p) => p.Series["RecurringBookings_Include"]) { Body = (_, _) => new() { ["date"] = "2025-02-10" } },
        new("RecurringBookings_Update", Reach.Member, (_, p) => p.Series["RecurringBookings_Update"])
        {
            Body = (w, _) => new() { ["from"] = "2025-02-23", ["resourceId"] = w.Hall },
        },
        new("RecurringBookings_Cancel", Reach.Member, (_, p) => p.Series["RecurringBookings_Cancel"]) { Body = (_, _) => new() { ["from"] = "2025-02-23" } },

        // Credits, passes and check-ins.
        new("Wallet_Get", Reach.Member, (_, p) => p.Member),
        new("BookingPasses_Buy", Reach.Member, (_, p) => p.Member) { Body = (_, _) => Bodies.Passes() },
        new("BookingPasses_Assign", Reach.Staff, (_, p) => p.Member) { Body = (_, _) => Bodies.Passes() },
        new("BookingPasses_Remove", Reach.Staff, (_, p) => p.Member) { Part = p => p.BookingPass },
        new("CreditGrants_Create", Reach.Staff, (_, p) => p.Member) { Body = (w, _) => Bodies.Credit(w) },
        new("CreditGrants_Withdraw", Reach.Staff, (_, p) => p.Member) { Part = p => p.Grant },
        new("DayPasses_List", Reach.Member, (_, p) => p.Member),
        new("DayPasses_Issue", Reach.Staff, (_, p) => p.Member) { Body = (w, _) => Bodies.DayPasses(w) },
        new("DayPasses_Cancel", Reach.Staff, (_, p) => p.Member) { Part = p => p.DayPass },
        new("CheckIns_List", Reach.Staff, (w, _) => w.Location) { Query = Any("locationId") },
        new("CheckIns_Get", Reach.Member, (_, p) => p.CheckIn),
        new("CheckIns_Create", Reach.Member, (_, p) => p.Member)
        {
            Body = (w, id) => new JsonObject { ["locationId"] = w.Location }.WithAny("memberId", id),
        },
        new("CheckIns_CheckOut", Reach.Member, (_, p) => p.CheckIn),

        // Invoices.
        new("Invoices_List", Reach.Customer, (_, p) => p.Customer) { Query = Any("customerId") },
        new("Invoices_Get", Reach.Customer, (_, p) => p.Invoice),
        new("CreditNotes_List", Reach.Customer, (_, p) => p.Invoice),
        new("Invoices_Pay", Reach.Customer, (_, p) => p.Invoice),
        new("BillRuns_Start", Reach.Staff, (_, p) => p.Customer) { Body = (_, id) => new() { ["customerId"] = id } },
        new("BillRuns_Get", Reach.Staff, (w, _) => w.BillRun),

        // Memberships.
        new("Memberships_List", Reach.Member, (_, p) => p.Member) { Query = Any("memberId") },
        new("Memberships_Get", Reach.Member, (_, p) => p.Membership),
        new("Memberships_Dunning", Reach.Member, (_, p) => p.Membership),
        new("Memberships_SignUp", Reach.Member, (_, p) => p.Member) { Body = (w, id) => new JsonObject { ["planId"] = w.Plan }.WithAny("memberId", id) },
        new("Memberships_Assign", Reach.Staff, (_, p) => p.Member) { Body = (w, id) => new() { ["memberId"] = id, ["planId"] = w.HiddenPlan } },
        new("Memberships_Cancel", Reach.Member, (_, p) => p.Membership) { Body = (_, _) => new() { ["on"] = "2025-12-31" } },

        // The operator.
        new("DeadLetters_List", Reach.Staff),
        new("DeadLetters_Replay", Reach.Staff, (_, _) => Queues.Billing) { Part = p => "poison-" + p.Name },
        new("Exports_List", Reach.Owner),
        new("Exports_Get", Reach.Owner, (_, _) => Premises.Export),
        new("Operator_Get", Reach.Staff),
        new("Operator_Edit", Reach.Staff) { Body = (_, _) => Bodies.Operator() },
        new("Operator_Suspend", Reach.Owner),
        new("Operator_Activate", Reach.Owner),
    ];

    public static Guarded Of(string function) => All.Single(g => g.Function == function);

    public static (string Name, string Value) Signed(Premises premises, string body, string secret) =>
        (StripeWebhookReceiver.SignatureHeader, EventUtility.GenerateSignatureHeader(body, secret, premises.World.Now.ToUnixTimeSeconds()));

    private static Func<string?, string> Any(string parameter) => id => id is null ? string.Empty : $"{parameter}={Uri.EscapeDataString(id)}";

    private static JsonObject Together(string? booking) => new() { ["bookingIds"] = new JsonArray(booking), ["bySpace"] = true };
}
