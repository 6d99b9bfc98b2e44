using Flex.Functions.Tests.Bookings;
using Flex.Kernel;
using Flex.Platform;
using Flex.Platform.Http;
using Flex.Platform.Identity;
using Flex.Platform.Tables;
using Flex.Settings;
using Microsoft.Extensions.Time.Testing;
using NodaTime;
using Xunit;

namespace Flex.Functions.Tests.Settings;

public sealed class SettingsSnapshotTests : IAsyncLifetime
{
    private static readonly RequestContext Staff = RequestContext.For(new Caller(Role.Staff, "staff-1"));
    private Spaces _spaces = null!;
    private SettingsStore _here = null!;
    private SettingsStore _elsewhere = null!;

    public async ValueTask InitializeAsync()
    {
        _spaces = await Spaces.CreateAsync();
        _here = _spaces.Get<SettingsStore>();
        _elsewhere = new SettingsStore(_spaces.Tables, _spaces.App.Time);
    }

    public ValueTask DisposeAsync()
    {
        _elsewhere.Dispose();
        _spaces.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Warm_lookups_cost_no_storage_call()
    {
        await _here.GetOperatorAsync(Spaces.Cancellation);

        using StorageCallScope calls = StorageCalls.Measure();
        await _here.GetOperatorAsync(Spaces.Cancellation);
        Assert.NotNull(await _here.FindLocationAsync(_spaces.Location, Spaces.Cancellation));
        await _here.ListLocationsAsync(Spaces.Cancellation);

        Assert.Equal(0, calls.Count);
    }

    [Fact]
    public async Task A_process_sees_its_own_change_at_once_and_anothers_within_thirty_seconds()
    {
        await _elsewhere.GetOperatorAsync(Spaces.Cancellation);
        await RenameAsync("Renamed");

        Assert.Equal("Renamed", (await _here.FindLocationAsync(_spaces.Location, Spaces.Cancellation))!.Name);
        Assert.Equal("Main", (await _elsewhere.FindLocationAsync(_spaces.Location, Spaces.Cancellation))!.Name);

        _spaces.App.Time.Advance(SettingsStore.Staleness.ToTimeSpan());

        Assert.Equal("Renamed", (await _elsewhere.FindLocationAsync(_spaces.Location, Spaces.Cancellation))!.Name);
    }

    [Fact]
    public async Task What_another_process_has_just_created_is_found_at_once()
    {
        await _elsewhere.GetOperatorAsync(Spaces.Cancellation);
        LocationId fresh = await _spaces.AddAsync<LocationId>("Locations_Create", new { name = "New", timeZone = "Europe/Berlin", currency = "eur" });

        Assert.NotNull(await _elsewhere.FindLocationAsync(fresh, Spaces.Cancellation));
    }

    [Fact]
    public async Task However_many_ask_at_once_it_is_loaded_once()
    {
        int loads = 0;
        var opened = new TaskCompletionSource();
        using var cache = new SnapshotCache<string>(new FakeTimeProvider(), Duration.FromSeconds(30), async _ =>
        {
            loads++;
            await opened.Task;
            return "value";
        });

        Task<string>[] readers = [.. Enumerable.Range(0, 20).Select(_ => cache.GetAsync(Spaces.Cancellation))];
        opened.SetResult();

        Assert.All(await Task.WhenAll(readers), v => Assert.Equal("value", v));
        Assert.Equal(1, loads);
    }

    [Fact]
    public async Task A_load_that_began_before_a_write_is_not_kept()
    {
        string stored = "old";
        var opened = new TaskCompletionSource();
        using var cache = new SnapshotCache<string>(new FakeTimeProvider(), Duration.FromSeconds(30), async _ =>
        {
            string read = stored;
            await opened.Task;
            return read;
        });
        Task<string> early = cache.GetAsync(Spaces.Cancellation);
        stored = "new";
        cache.Invalidate();
        opened.SetResult();

        Assert.Equal("old", await early);
        Assert.Equal("new", await cache.GetAsync(Spaces.Cancellation));
    }

    [Fact]
    public async Task A_failed_load_is_tried_again()
    {
        int loads = 0;
        using var cache = new SnapshotCache<string>(new FakeTimeProvider(), Duration.FromSeconds(30), _ =>
            loads++ == 0 ? throw new TransientFaultException("away") : Task.FromResult("value"));

        await Assert.ThrowsAsync<TransientFaultException>(() => cache.GetAsync(Spaces.Cancellation));

        Assert.Equal("value", await cache.GetAsync(Spaces.Cancellation));
    }

    private async Task RenameAsync(string name)
    {
        Stored<Location> found = (await _here.ReadLocationAsync(_spaces.Location, Spaces.Cancellation))!;
        Location renamed = found.Value with { Name = name, Version = found.Value.Version + 1 };
        await _here.CommitAsync(SettingsStore.Replace(renamed, found.ETag), Staff, LocationView.Of(renamed), Spaces.Cancellation);
    }
}
