using System.Net;
using Flex.Local.Demo;
using Flex.Local.Runtime.Hosting;
using Flex.Local.Runtime.Queueing;
using Flex.Local.Runtime.Testing;
using Flex.Payments;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using Flex.Renewals;
using NodaTime;

namespace Flex.Benchmarks;

/// <summary>Storage calls of each business action against its budget, in a world with one of each.</summary>
internal static class CallBench
{
    private static readonly Instant Start = Instant.FromUtc(2025, 1, 1, 8, 0);

    public static async Task RunAsync(Report report, CancellationToken cancellation)
    {
        Report.Progress("storage calls");
        var recorder = new CallRecorder();
        await using FlexWorld world = await FlexWorld.StartAsync(new FlexWorldOptions { Start = Start, Services = recorder.Attach });
        using HttpClient http = world.Anonymous();
        var space = new Space(new FlexClient(http, TimeProvider.System), cancellation);
        await space.OpenAsync(1);
        await world.AdvanceAsync(Duration.FromHours(1));
        string token = await Requests.TokenAsync(http, cancellation);

        await SendAsync(http, BookingOn(Start + Duration.FromDays(1)), cancellation);
        int booking = await SendAsync(http, BookingOn(Start + Duration.FromDays(2)), cancellation);
        Add(report, "booking", booking, 3, "member, agenda, commit; caches warm");

        await BookedResourcesAsync(report, world, space, http, token, cancellation);

        int queued = Queued(world);
        int intake = await SendAsync(http, Requests.Webhook("evt_bench", LocalModules.WebhookSecret, world.Now), cancellation);
        int published = Queued(world) - queued;
        Add(report, "webhook intake", intake, 0, $"{published} publish", published == 1);

        recorder.Clear();
        await world.AdvanceToAsync(Instant.FromUtc(2025, 2, 2, 0, 0));
        int payments = Payments(world);
        Add(report, "renewal that succeeds", recorder.Of(RenewalNames.Step)?.Most, 10, $"{payments} payments with the sign-up", payments == 2);
        Add(report, "due search", recorder.Of(RenewalNames.ListDue)?.Most, 1, "per location, day and 1,000 due memberships");

        // A bank debit is the payment whose outcome only its webhook tells.
        await space.AttachAsync(space.People[0], "pm_usBankAccount_success");
        await world.AdvanceToAsync(Instant.FromUtc(2025, 3, 10, 0, 0));
        payments = Payments(world);
        Add(report, "webhook consumption", recorder.Of(StripeEventReceived.Subject)?.Most, 4, "the dearest event; it settles a bank debit", payments == 3);

        HttpRequestMessage BookingOn(Instant start) => Requests.Booking(token, space.Rooms[0], space.People[0].Member, start, Duration.FromHours(1));
    }

    /// <summary>One booking that draws, a week of 30 resources, a year of weeks.</summary>
    private static async Task BookedResourcesAsync(
        Report report, FlexWorld world, Space space, HttpClient http, string token, CancellationToken cancellation)
    {
        (string room, Person person) = (space.Rooms[0], space.People[0]);
        for (int i = 1; i < 30; i++)
        {
            await space.AddRoomAsync(i);
        }

        string location = $"/api/v1/resources/availability?location={space.Location}&from=2025-01-06&to=2025-01-12";
        await SendAsync(http, Requests.Get(token, location), cancellation);
        Add(report, "availability", await SendAsync(http, Requests.Get(token, location), cancellation), 4, "a week of 30 resources");
        int series = await SendAsync(http, Requests.Series(token, room, person.Member, Start + Duration.FromDays(3), 52), cancellation);
        Add(report, "recurring booking", series, 12, "52 weeks");
        await space.GrantAsync(person, room);
        await world.RunUntilIdleAsync();
        int drawing = await SendAsync(http, Requests.Booking(token, room, person.Member, Start + Duration.FromDays(4), Duration.FromHours(1)), cancellation);
        Add(report, "booking paid from credit", drawing, 7, "member, wallet, agenda, slot, draw, commit");
    }

    private static void Add(Report report, string action, int? calls, int budget, string beside, bool holds = true) =>
        report.Add("storage calls", action, $"{calls}", $"budget {budget}; {beside}", holds && calls <= budget);

    private static async Task<int> SendAsync(HttpClient http, HttpRequestMessage request, CancellationToken cancellation)
    {
        using (request)
        {
            using StorageCallScope calls = StorageCalls.Measure();
            using HttpResponseMessage answer = await http.SendAsync(request, cancellation);
            answer.EnsureSuccessStatusCode();
            return answer.StatusCode == HttpStatusCode.Accepted
                ? throw new InvalidOperationException("The work is done later, where its calls are not counted.")
                : calls.Count;
        }
    }

    private static int Queued(FlexWorld world) => world.Get<LocalQueues>().Status().Sum(q => q.Active + q.Scheduled);

    private static int Payments(FlexWorld world) => world.Stripe.Audit().PaymentIntents.Count(p => p.Status == "succeeded");
}
