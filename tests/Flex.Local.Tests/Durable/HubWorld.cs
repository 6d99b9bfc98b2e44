using System.Buffers.Binary;
using Flex.Kernel;
using Flex.Local.Runtime.Durable;
using Flex.Local.Runtime.Scheduling;
using Flex.Local.Runtime.Storage;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using NodaTime;
using Xunit;

namespace Flex.Local.Tests.Durable;

/// <summary>A task hub on memory tables and simulated time, with what is needed to crash it and go on.</summary>
internal sealed class HubWorld
{
    public static readonly Instant Epoch = Instant.FromUtc(2025, 1, 1, 0, 0);
    private readonly ILoggerFactory _loggers;
    private ulong _seed;

    public HubWorld(DelegateTaskInvoker functions, MemoryTableStore? tables = null, Instant? now = null, ILoggerFactory? loggers = null)
    {
        Functions = functions;
        Tables = tables ?? new MemoryTableStore();
        Clock = new SimulatedClock(now ?? Epoch);
        _loggers = loggers ?? NullLoggerFactory.Instance;
        Scheduler = new Scheduler(Clock, new SchedulerOptions { MaxUnitsPerInstant = 1_000_000 }, NullLogger<Scheduler>.Instance);
        Hub = NewHub();
        Scheduler.Add(Hub);
    }

    public DelegateTaskInvoker Functions { get; }

    public MemoryTableStore Tables { get; }

    public SimulatedClock Clock { get; }

    public Scheduler Scheduler { get; }

    public LocalTaskHub Hub { get; }

    public ExecutionRecorder Recorder { get; } = new();

    public DurableTaskClient Client => Hub.Client;

    public static CancellationToken Token => TestContext.Current.CancellationToken;

    public static async Task<HubWorld> OpenAsync(DelegateTaskInvoker functions, MemoryTableStore? tables = null, Instant? now = null, ILoggerFactory? loggers = null)
    {
        var world = new HubWorld(functions, tables, now, loggers);
        await world.Hub.LoadAsync(Token);
        return world;
    }

    /// <summary>A new process on the same tables: the old hub is forgotten without being stopped.</summary>
    public Task<HubWorld> ReopenAsync(DelegateTaskInvoker? functions = null) => OpenAsync(functions ?? Functions, Tables, Clock.Now, _loggers);

    public Task RunAsync() => Scheduler.RunUntilIdleAsync(Token);

    public Task AdvanceAsync(Duration by) => Scheduler.AdvanceToAsync(Clock.Now + by, Token);

    public async Task<OrchestrationMetadata> StateAsync(string id) =>
        await Client.GetInstanceAsync(id, getInputsAndOutputs: true, Token) ?? throw new InvalidOperationException($"There is no instance '{id}'.");

    public async Task<string> StartAsync(string name, object? input = null, string? id = null, DateTimeOffset? startAt = null) =>
        await Client.ScheduleNewOrchestrationInstanceAsync(new TaskName(name), input, new StartOrchestrationOptions(id, startAt), Token);

    /// <summary>Starts it, runs everything due now, and gives its state.</summary>
    public async Task<OrchestrationMetadata> RunToIdleAsync(string name, object? input = null, string id = "one")
    {
        await StartAsync(name, input, id);
        await RunAsync();
        return await StateAsync(id);
    }

    private LocalTaskHub NewHub()
    {
        var ids = new TimeOrderedIds(Clock, bytes =>
        {
            bytes.Clear();
            BinaryPrimitives.WriteUInt64BigEndian(bytes[^8..], ++_seed);
        });
        var hub = new LocalTaskHub(Tables, Tables, Clock, ids, Scheduler, _loggers, Recorder);
        hub.Call(Functions);
        return hub;
    }
}
