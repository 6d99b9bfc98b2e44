using Flex.Bookings;
using Flex.Invoicing;
using Flex.Kernel;
using Flex.Local.Runtime.Durable;
using Flex.Local.Runtime.Faults;
using Flex.Local.Runtime.Queueing;
using Flex.Local.Runtime.Scheduling;
using Flex.Local.Runtime.Storage;
using Flex.Local.Runtime.Testing;
using Flex.Local.Simulators.Stripe;
using Flex.Platform.Tables;
using Flex.Wallets;
using NodaTime;

namespace Flex.Functions.Tests.Simulation;

/// <summary>
/// Everything that can go wrong around Flex, by the dice: storage that fails before or after a commit, other work that gets in
/// between a read and its commit, a gateway and a door system that throttle, fail and break connections before and after the
/// effect, notices that come twice, late, out of order or never, and a process that dies between any two steps.
/// </summary>
internal sealed class Disturbances : IStripeFaults
{
    private readonly FlexWorld _world;
    private readonly Dice _storage;
    private readonly Dice _gateway;
    private readonly Dice _notices;
    private readonly Dice _doors;
    private readonly Dice _deaths;
    private readonly Dice _others;
    private bool _between;

    public Disturbances(FlexWorld world, int seed)
    {
        _world = world;
        (_storage, _gateway, _notices) = (new Dice(seed, "storage"), new Dice(seed, "gateway"), new Dice(seed, "notices"));
        (_doors, _deaths, _others) = (new Dice(seed, "doors"), new Dice(seed, "deaths"), new Dice(seed, "others"));
        MemoryTableStore tables = world.Tables;
        (Func<TableBatch, Task> before, Func<TableBatch, Task> after) = (tables.BeforeCommit!, tables.AfterCommit!);
        tables.BeforeCommit = async batch =>
        {
            await before(batch);
            await BeforeCommitAsync(batch);
        };
        tables.AfterCommit = async batch =>
        {
            await after(batch);
            if (IsOn && _storage.Roll(LostAnswers))
            {
                throw new TransientFaultException("Simulated: the answer to the commit was lost.");
            }
        };
        world.Stripe.Faults = this;
    }

    public double LostCommits { get; init; } = 0.004;

    public double LostAnswers { get; init; } = 0.004;

    public double OtherWork { get; init; } = 0.3;

    public double GatewayFaults { get; init; } = 0.12;

    public double DoorFaults { get; init; } = 0.5;

    public double Deaths { get; init; } = 0.12;

    public bool IsOn { get; set; }

    /// <summary>Somebody's request in the middle of somebody else's read and commit.</summary>
    public Func<Dice, Task> Rival { get; set; } = _ => Task.CompletedTask;

    /// <summary>Before each step of the story: perhaps a fault at the doors, perhaps a death on the way.</summary>
    public void Prepare()
    {
        if (!IsOn)
        {
            return;
        }

        if (_doors.Roll(DoorFaults))
        {
            FaultKind kind = _doors.Pick(FaultKind.Status, FaultKind.Status, FaultKind.TimeoutAfterEffect, FaultKind.TimeoutBeforeEffect);
            _world.Faults.Add(new FaultRule(FaultRegistry.Salto, kind, Status: _doors.Pick(429, 401, 500, 503), Times: _doors.Between(1, 3)));
        }

        if (_deaths.Roll(Deaths))
        {
            _world.Crash.Arm(_deaths.Between(1, 120));
        }
    }

    /// <summary>From now on nothing goes wrong any more, except what already has.</summary>
    public void Calm()
    {
        IsOn = false;
        _world.Faults.Remove(null);
        _world.Crash.Arm(-1);
    }

    public StripeFault? OnRequest(StripeRequest request)
    {
        if (!IsOn || !_gateway.Roll(GatewayFaults))
        {
            return null;
        }

        StripeFaultKind kind = _gateway.Pick(
            StripeFaultKind.RateLimited,
            StripeFaultKind.ServerErrorBeforeEffect,
            StripeFaultKind.ServerErrorAfterEffect,
            StripeFaultKind.LostBeforeEffect,
            StripeFaultKind.LostAfterEffect,
            StripeFaultKind.LostAfterEffect,
            StripeFaultKind.LateEffect);
        return new StripeFault(kind, Delay: Duration.FromMinutes(_gateway.Between(1, 90)), Status: _gateway.Pick(500, 502, 503));
    }

    public IReadOnlyList<Duration> OnDelivery(StripeDelivery delivery)
    {
        if (!IsOn)
        {
            return [Duration.Zero];
        }

        return _notices.Weighted(
            (6, 1), (2, 2), (1, 0)) switch
        {
            0 => [],
            1 when _notices.Roll(0.6) => [Duration.Zero],
            int copies => [.. Enumerable.Range(0, copies).Select(_ => Duration.FromMinutes(_notices.Between(0, 180)))],
        };
    }

    private async Task BeforeCommitAsync(TableBatch batch)
    {
        if (!IsOn)
        {
            return;
        }

        if (_storage.Roll(LostCommits))
        {
            throw new TransientFaultException("Simulated: the commit did not arrive.");
        }

        if (!_between && IsOpenToOthers(batch) && _others.Roll(OtherWork))
        {
            _between = true;
            try
            {
                await WorkInBetweenAsync();
            }
            finally
            {
                _between = false;
            }
        }
    }

    /// <summary>What runs as several instances of the app in the cloud: a message or a turn, in the middle of somebody else's read and commit.</summary>
    private async Task WorkInBetweenAsync()
    {
        if (_others.Roll(0.25))
        {
            await Rival(_others);
            return;
        }

        IWorkSource source = _others.Roll(0.7) ? _world.Get<LocalQueues>() : _world.Get<LocalTaskHub>();
        if (source.NextDue <= _world.Now && source.Take(_world.Now) is { } item)
        {
            await item.Run(_world.Crash.Died);
        }
    }

    /// <summary>Not while one process keeps others waiting by itself: taking a number, and the agendas of resources.</summary>
    private static bool IsOpenToOthers(TableBatch batch) => batch.Table switch
    {
        "memberships" or "members" or "access" => true,
        WalletStore.Table => true,
        BookingStore.Table => Has(batch, "B|") && !Has(batch, "A|"),
        InvoiceBook.Table => !Has(batch, InvoiceBook.SeriesPrefix) && !Has(batch, InvoiceBook.NoteSeriesPrefix),
        _ => false,
    };

    private static bool Has(TableBatch batch, string prefix) => batch.Operations.Any(o => o.Key.StartsWith(prefix, StringComparison.Ordinal));
}
