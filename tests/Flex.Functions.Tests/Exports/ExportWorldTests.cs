using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Flex.Exports;
using Flex.Functions.Tests.Platform.Messaging;
using Flex.Functions.Tests.Renewals;
using Flex.Kernel;
using Flex.Local.Restore;
using Flex.Local.Runtime.Storage;
using Flex.Local.Runtime.Testing;
using Flex.Local.Runtime.Timers;
using Flex.Platform.Identity;
using Flex.Platform.Mail;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using NodaTime;
using Xunit;

namespace Flex.Functions.Tests.Exports;

/// <summary>Exports and restores as the app that runs has to do with them.</summary>
public sealed class ExportWorldTests
{
    private static readonly FlexWorldOptions WithExports = new()
    {
        Settings = new Dictionary<string, string?> { [TimerSource.DisabledSetting("Exports_Nightly")] = "false" },
        LogLevel = LogLevel.Information,
    };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_night_has_one_export_and_owners_see_them_newest_first()
    {
        await using FlexWorld world = await FlexWorld.StartAsync(WithExports);
        await world.AdvanceAsync(Duration.FromDays(3));

        JsonObject first = await GetAsync(world, "/api/v1/exports?limit=2");
        JsonObject second = await GetAsync(world, $"/api/v1/exports?limit=2&cursor={(string)first["cursorNext"]!}");

        Assert.Equal(["2025-01-03", "2025-01-02"], Ids(first));
        Assert.Equal(["2025-01-01"], Ids(second));
        Assert.False((bool)second["hasMore"]!);
        Assert.Equal("2025-01-03T01:40:00Z", (string?)first["results"]![0]!["completedAt"]);
        Assert.Empty(world.Log.Errors);
    }

    [Fact]
    public async Task An_owner_downloads_a_part_by_its_link_and_the_log_says_who_got_links_but_not_which()
    {
        await using FlexWorld world = await FlexWorld.StartAsync(WithExports);
        await Exporting.FillAsync(world.Tables, Exporting.Rows("bookings", "p", 3));
        await world.AdvanceAsync(Duration.FromHours(3));

        JsonObject export = await GetAsync(world, "/api/v1/exports/2025-01-01");

        JsonObject part = export["tables"]!.AsArray().Single(t => (string?)t!["name"] == "bookings")!["parts"]![0]!.AsObject();
        var link = new Uri((string)part["link"]!);
        using HttpClient anybody = world.Anonymous();
        ReadOnlyMemory<byte> stored = (await world.Blobs.ReadAsync(ExportArchive.Container, (string)part["name"]!, Cancellation))!.Value;
        Assert.Equal(stored.ToArray(), await anybody.GetByteArrayAsync(link, Cancellation));
        Assert.Equal("2025-01-01T03:10:00Z", (string?)export["linksExpireAt"]);
        WorldLogEntry entry = Assert.Single(world.Log.Entries, e => e.Message.Contains("links", StringComparison.Ordinal));
        Assert.Equal("http://localhost/local/identity|local-owner was given links to export 2025-01-01.", entry.Message);
        Assert.DoesNotContain(world.Log.Entries, e => e.Message.Contains(link.Segments[^1], StringComparison.Ordinal));

        await world.AdvanceAsync(ExportReader.LinkLifetime);
        Assert.Equal(HttpStatusCode.NotFound, (await anybody.GetAsync(link, Cancellation)).StatusCode);
    }

    [Theory]
    [InlineData("/api/v1/exports")]
    [InlineData("/api/v1/exports/2025-01-01")]
    public async Task Nobody_but_an_owner_sees_exports(string path)
    {
        await using FlexWorld world = await FlexWorld.StartAsync(WithExports);
        await world.AdvanceAsync(Duration.FromHours(3));
        using HttpClient staff = world.As(Role.Staff);
        using HttpClient member = world.AsMember("mbr_00000000000000000000000001");
        using HttpClient anonymous = world.Anonymous();
        using HttpClient owner = world.As(Role.Owner);

        Assert.Equal(HttpStatusCode.Forbidden, (await staff.GetAsync(path, Cancellation)).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await member.GetAsync(path, Cancellation)).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await anonymous.GetAsync(path, Cancellation)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await owner.GetAsync(path, Cancellation)).StatusCode);
    }

    [Theory]
    [InlineData("2025-01-02")]
    [InlineData("manifest.json")]
    [InlineData("..%2F..%2Fmessages%2Fx")]
    public async Task What_is_no_complete_export_is_not_found(string id)
    {
        await using FlexWorld world = await FlexWorld.StartAsync(WithExports);
        using HttpClient owner = world.As(Role.Owner);

        Assert.Equal(HttpStatusCode.NotFound, (await owner.GetAsync("/api/v1/exports/" + id, Cancellation)).StatusCode);
    }

    [Fact]
    public async Task A_night_whose_first_run_failed_has_its_export_by_a_later_one_and_is_counted_once()
    {
        var store = new MemoryTableStore();
        await Exporting.FillAsync(store, Exporting.Rows("bookings", "p", 1_234));
        var archive = new ExportArchive(new MemoryBlobStore());
        var broker = new RecordingPublisher();
        var exporter = new StoreExporter(store, store, Exporting.Time, NullLogger<StoreExporter>.Instance);
        var nightly = new NightlyExport(exporter, archive, broker, new CountingIds(), Exporting.Time, NullLogger<NightlyExport>.Instance);
        var counted = new ConcurrentBag<(string Name, long Value)>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (instrument.Meter.Name == ExportMetrics.MeterName)
            {
                l.EnableMeasurementEvents(instrument);
            }
        };

        // Worlds of other tests count at the same time, but no export of theirs has these many rows.
        listener.SetMeasurementEventCallback<long>((instrument, value, _, _) => counted.Add((instrument.Name, value)));
        listener.Start();
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => nightly.RunAsync(cancelled.Token));

        await nightly.RunAsync(Cancellation);
        await Exporting.FillAsync(store, Exporting.Rows("bookings", "q", 1));
        await nightly.RunAsync(Cancellation);

        Assert.Equal(1_234, (await archive.FindAsync("2025-01-02", Cancellation))!.Rows());
        Assert.Contains(("flex.exports.completed", 1), counted);
        Assert.Single(counted, c => c == ("flex.exports.rows", 1_234));
        Assert.Empty(broker.All);
    }

    [Fact]
    public async Task A_message_whose_sweep_was_lost_leaves_in_the_night()
    {
        await using FlexWorld world = await FlexWorld.StartAsync(WithExports);
        await CommitWithoutSweepAsync(world.Tables);
        await world.AdvanceAsync(Duration.FromMinutes(90));
        Assert.Empty(world.Mail.Mails);

        await world.AdvanceAsync(Duration.FromMinutes(15));

        Assert.Equal("Hello", Assert.Single(world.Mail.Mails).Subject);
        Assert.Empty(world.Tables.Snapshot("members", "home01"));
    }

    [Fact]
    public async Task Messages_that_were_under_way_leave_when_the_app_starts_on_the_restored_store()
    {
        await using FlexWorld world = await FlexWorld.StartAsync();
        await CommitWithoutSweepAsync(world.Tables);

        RestoreReport report = await MoveToRestoredAsync(world, await ExportAsync(world));
        await world.AdvanceAsync(Duration.FromMinutes(2));

        Assert.Equal(1, report.Outboxes);
        Assert.Equal("Hello", Assert.Single(world.Mail.Mails).Subject);
        Assert.Empty(world.Tables.Snapshot("members", "home01"));
        Assert.Empty(world.Tables.Snapshot(RestoreMark.Table, RestoredMessages.Partition));
        Assert.Empty(world.Log.Errors);
    }

    /// <summary>Two of four members have been renewed when the store is lost; the other two have yet to be.</summary>
    [Fact]
    [Trait("Rule", "PAY-5")]
    public async Task Renewals_go_on_in_a_restored_store_and_nobody_is_charged_twice()
    {
        await using RenewalWorld world = await RenewalWorld.StartAsync();
        await SignUpFourAsync(world);
        await world.AdvanceToLocalAsync(new LocalDate(2025, 2, 2));
        Assert.Equal(4 + 2, SucceededIn(world));

        await MoveToRestoredAsync(world.World, await ExportAsync(world.World));
        await world.AdvanceToLocalAsync(new LocalDate(2025, 3, 5));

        Assert.Equal(4 + 4 + 4, SucceededIn(world));
        await world.AssertSoundAsync();
    }

    /// <summary>
    /// The renewals of a day are in nobody's memory but Stripe's, which remembers keys for a day: the store comes back hours and
    /// days later.
    /// </summary>
    [Theory]
    [InlineData(4)]
    [InlineData(8)]
    [Trait("Rule", "PAY-5")]
    public async Task Renewals_that_were_charged_after_the_export_are_found_and_not_charged_again(int backOnDay)
    {
        await using RenewalWorld world = await RenewalWorld.StartAsync();
        await SignUpFourAsync(world);
        await world.AdvanceToLocalAsync(new LocalDate(2025, 2, 3));
        MemoryBlobStore export = await ExportAsync(world.World);
        await world.AdvanceToLocalAsync(new LocalDate(2025, 2, backOnDay));
        Assert.Equal(4 + 4, SucceededIn(world));

        await MoveToRestoredAsync(world.World, export);
        await world.AdvanceToLocalAsync(new LocalDate(2025, 2, 20));

        Assert.Equal(4 + 4, SucceededIn(world));
        await world.AssertSoundAsync();
    }

    private static async Task SignUpFourAsync(RenewalWorld world)
    {
        await world.SignUpAsync("pm_card_visa");
        await world.AddMemberAsync("second");
        await world.SignUpAsync("pm_card_visa");
        await world.World.AdvanceToAsync(Instant.FromUtc(2025, 1, 3, 15, 0));
        await world.AddMemberAsync("third");
        await world.SignUpAsync("pm_card_visa");
        await world.AddMemberAsync("fourth");
        await world.SignUpAsync("pm_card_visa");
    }

    private static int SucceededIn(RenewalWorld world) => world.World.Stripe.Audit().PaymentIntents.Count(i => i.Status == "succeeded");

    private static async Task<MemoryBlobStore> ExportAsync(FlexWorld world)
    {
        var blobs = new MemoryBlobStore();
        await Exporting.ExportAsync(world.Tables, blobs, time: world.Clock);
        return blobs;
    }

    /// <summary>Loses the world's store and goes on with what the export has.</summary>
    private static async Task<RestoreReport> MoveToRestoredAsync(FlexWorld world, MemoryBlobStore export)
    {
        var restored = new MemoryTableStore();
        RestoreReport report = await Exporting.RestoreAsync(export, restored, time: world.Clock);
        await world.MoveToAsync(restored);
        return report;
    }

    /// <summary>What a commit leaves whose sweep and messages the broker has lost.</summary>
    private static async Task CommitWithoutSweepAsync(MemoryTableStore tables) => (await tables.CommitAsync(
        new TableBatch("members", "home01").Send(
            OutboxMessage.Create("msg_1", Queues.Mail, OutgoingMail.MessageSubject, new OutgoingMail("msg_1", "a@example.test", "Hello", "Text"))),
        Cancellation)).Require();

    private static IEnumerable<string> Ids(JsonObject page) => page["results"]!.AsArray().Select(e => (string)e!["id"]!);

    private static async Task<JsonObject> GetAsync(FlexWorld world, string path)
    {
        using HttpClient owner = world.As(Role.Owner);
        return (await owner.GetFromJsonAsync<JsonObject>(path, Cancellation))!;
    }
}
