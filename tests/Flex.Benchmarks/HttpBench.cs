using Flex.Local.Demo;
using Flex.Local.Runtime.Hosting;
using Flex.Local.Runtime.Queueing;
using Flex.Platform.Tables;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using NodaTime;

namespace Flex.Benchmarks;

/// <summary>
/// Load over HTTP against Flex on Azurite, all in this process but Azurite. Messages that follow from the requests are
/// consumed meanwhile, as in a running deployment; each load starts when those of the one before are done.
/// </summary>
internal sealed class HttpBench(LocalHost host, Space space, HttpClient http, string token, BenchOptions options, Report report)
{
    private const int BudgetPerBooking = 3;
    private const int BudgetPerDrawingBooking = 7;

    /// <summary>The two speeds of a ratio are measured in turns, so that a busy neighbour slows down both.</summary>
    private const int Slices = 4;

    private static readonly Duration Slot = Duration.FromMinutes(30);
    private static readonly Duration ShortSlot = Duration.FromMinutes(5);

    private readonly Instant _firstDay = Instant.FromUnixTimeSeconds((DateOf(TimeProvider.System.GetUtcNow()) + 2) * NodaConstants.SecondsPerDay);
    private readonly int[] _next = new int[space.Rooms.Count];

    public static async Task RunAsync(BenchOptions options, Report report, CancellationToken cancellation)
    {
        string data = Directory.CreateTempSubdirectory("flex-bench-").FullName;
        try
        {
            Report.Progress("starting Flex on Azurite");
            await using LocalHost host = await LocalHost.StartAsync(
                new LocalHostOptions(0, data) { Logging = logging => logging.SetMinimumLevel(LogLevel.None), Settings = LocalSettings.AmpleRateLimits },
                cancellation);
            using var http = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = 256 }) { BaseAddress = host.Address };
            var space = new Space(new FlexClient(http, TimeProvider.System), cancellation);
            await space.OpenAsync(options.Clients.Max() + 1);
            var bench = new HttpBench(host, space, http, await Requests.TokenAsync(http, cancellation), options, report);
            await bench.SettleAsync(cancellation);
            await bench.MeasureAsync(cancellation);
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }

    private static long DateOf(DateTimeOffset now) => now.ToUnixTimeSeconds() / NodaConstants.SecondsPerDay;

    private async Task MeasureAsync(CancellationToken cancellation)
    {
        if (options.Wants("webhooks"))
        {
            await WebhooksAsync(cancellation);
        }

        if (options.Wants("bookings"))
        {
            await BookingsAsync(cancellation);
        }
    }

    private async Task BookingsAsync(CancellationToken cancellation)
    {
        var raw = new RawTransactions(host.Azurite!.ConnectionString);
        await raw.OpenAsync(cancellation);
        await ClosedLoop.RunAsync(8, options.LoadTime / 2, (client, _) => BookAsync(client));
        await SettleAsync(cancellation);
        int calls = await CallsOfOneBookingAsync(cancellation);
        foreach (int clients in options.Clients)
        {
            await BookingsAsync(raw, clients, "a room each", cancellation);
        }

        await OneRoomDayAsync(cancellation);
        report.Add("bookings", "storage calls of a booking", $"{calls}", $"budget {BudgetPerBooking}", calls <= BudgetPerBooking);

        Report.Progress("giving credit");
        for (int i = 0; i < space.People.Count; i++)
        {
            await space.GrantAsync(space.People[i], space.Rooms[i]);
        }

        await ClosedLoop.RunAsync(8, options.LoadTime / 4, (client, _) => BookAsync(client));
        await SettleAsync(cancellation);
        int drawing = await CallsOfOneBookingAsync(cancellation);
        foreach (int clients in options.Clients)
        {
            await BookingsAsync(raw, clients, "paid from credit", cancellation);
        }

        report.Add("bookings", "storage calls of one paid from credit", $"{drawing}", $"budget {BudgetPerDrawingBooking}", drawing <= BudgetPerDrawingBooking);
    }

    /// <param name="what">How the bookings are apart from the others.</param>
    private async Task BookingsAsync(RawTransactions raw, int clients, string what, CancellationToken cancellation)
    {
        Report.Progress($"bookings, {Clients(clients)}, {what}");
        LoadResult azurite = LoadResult.Nothing;
        LoadResult booked = LoadResult.Nothing;
        for (int i = 0; i < Slices; i++)
        {
            azurite += await ClosedLoop.RunAsync(clients, options.LoadTime / Slices, (_, _) => raw.InsertTwoAsync(cancellation));
            booked += await ClosedLoop.RunAsync(clients, options.LoadTime / Slices, (client, _) => BookAsync(client));
            await SettleAsync(cancellation);
        }

        report.Add(
            "bookings",
            $"{Clients(clients)}, {what}",
            $"{Report.Number(booked.PerSecond)}/s",
            $"Azurite {Report.Number(azurite.PerSecond)} two-row transactions/s, ratio {Report.Number(booked.PerSecond / azurite.PerSecond)}; "
                + Latency(booked),
            booked.Failed == 0);
    }

    /// <summary>Everybody wants the same room on the same day, each another slot: one agenda row serialises all.</summary>
    private async Task OneRoomDayAsync(CancellationToken cancellation)
    {
        int clients = options.Clients.Max();
        Report.Progress($"bookings, {clients} clients, one room-day");
        int slots = (int)(Duration.FromDays(1) / ShortSlot);
        int taken = -1;
        LoadResult booked = await ClosedLoop.RunAsync(clients, options.LoadTime * 3, async (client, _) =>
        {
            int slot = Interlocked.Increment(ref taken);
            return slot < slots
                ? await SendAsync(Requests.Booking(token, space.Rooms[^1], space.People[client].Member, _firstDay + (ShortSlot * slot), ShortSlot))
                : null;
        });
        await SettleAsync(cancellation);
        report.Add(
            "bookings",
            $"{Clients(clients)}, one room-day",
            $"{Report.Number(booked.PerSecond)}/s",
            $"{booked.Done} bookings, {booked.Failed} failed; {Latency(booked)}",
            booked.Failed == 0);
    }

    private async Task WebhooksAsync(CancellationToken cancellation)
    {
        int number = 0;
        Func<int, int, Task<bool?>> send = async (_, _) => await SendAsync(Requests.Webhook(
            $"evt_bench{Interlocked.Increment(ref number)}", LocalModules.WebhookSecret, host.Runtime.Scheduler.Now));
        await ClosedLoop.RunAsync(8, options.LoadTime / 4, send);
        foreach (int clients in options.Clients)
        {
            await SettleAsync(cancellation);
            Report.Progress($"webhooks, {Clients(clients)}");
            LoadResult taken = await ClosedLoop.RunAsync(clients, options.LoadTime / 2, send);
            report.Add(
                "webhooks",
                Clients(clients),
                $"{Report.Number(taken.PerSecond)}/s",
                $"{Latency(taken)}; locally a publish is an insert into Azurite",
                taken.Failed == 0);
        }

        await SettleAsync(cancellation);
    }

    /// <summary>Through the runtime without a socket, because calls are counted along the async flow.</summary>
    private async Task<int> CallsOfOneBookingAsync(CancellationToken cancellation)
    {
        using HttpClient inProcess = host.Runtime.CreateClient();
        using HttpRequestMessage request = NextBooking(0);
        using StorageCallScope calls = StorageCalls.Measure();
        using HttpResponseMessage answer = await inProcess.SendAsync(request, cancellation);
        answer.EnsureSuccessStatusCode();
        return calls.Count;
    }

    private async Task<bool?> BookAsync(int client) => await SendAsync(NextBooking(client));

    /// <summary>Each client has a room, whose agendas nobody else writes, and goes through its days, so that those of the months fill evenly.</summary>
    private HttpRequestMessage NextBooking(int client)
    {
        const int Days = 300;
        int number = _next[client]++;
        Instant start = _firstDay + Duration.FromDays(number % Days) + (Slot * (number / Days));
        return Requests.Booking(token, space.Rooms[client], space.People[client].Member, start, Slot);
    }

    private async Task<bool> SendAsync(HttpRequestMessage request)
    {
        using (request)
        {
            using HttpResponseMessage answer = await http.SendAsync(request);
            return answer.IsSuccessStatusCode;
        }
    }

    /// <summary>Until every message that is due has been consumed.</summary>
    private async Task SettleAsync(CancellationToken cancellation)
    {
        LocalQueues queues = host.Runtime.Services.GetRequiredService<LocalQueues>();
        while (queues.Status().Any(q => q.Active + q.Delivering > 0))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(50), cancellation);
        }
    }

    private static string Clients(int count) => count == 1 ? "1 client" : $"{count} clients";

    private static string Latency(LoadResult load) =>
        $"median {Report.Number(Statistics.Median(load.Latencies))} ms, 99 % below {Report.Number(Statistics.Percentile(load.Latencies, 0.99))} ms";
}
