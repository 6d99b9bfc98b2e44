using System.Net.Http.Headers;
using Flex.Local.Runtime.Faults;
using Flex.Local.Runtime.Hosting;
using Flex.Local.Runtime.Queueing;
using Flex.Local.Runtime.Scheduling;
using Flex.Local.Runtime.Storage;
using Flex.Local.Simulators.Salto;
using Flex.Local.Simulators.Stripe;
using Flex.Platform.Blobs;
using Flex.Platform.Identity;
using Flex.Platform.Resilience;
using Flex.Platform.Tables;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using NodaTime;

namespace Flex.Local.Runtime.Testing;

/// <summary>What a world is like. The same options and the same calls give the same world.</summary>
public sealed record FlexWorldOptions
{
    public int Seed { get; init; } = 1;

    public Instant Start { get; init; } = Instant.FromUtc(2025, 1, 1, 0, 0);

    /// <summary>What an earlier world has left, to begin with a copy of; null: empty tables.</summary>
    public MemoryTableStore? Tables { get; init; }

    /// <summary>Null delivers messages once and in order.</summary>
    public HostileDelivery? Hostile { get; init; }

    /// <summary>Work due at the same time comes in random order.</summary>
    public bool ShuffleTies { get; init; }

    public SaltoSimulatorOptions Salto { get; init; } = new();

    /// <summary>Changes the simulated Stripe account, e.g. how long it remembers events.</summary>
    public Func<StripeOptions, StripeOptions> Stripe { get; init; } = options => options;

    /// <summary>Adds to or replaces services of the app; called at every start.</summary>
    public Action<IServiceCollection> Services { get; init; } = _ => { };

    /// <summary>Settings beside the local defaults, e.g. a timer's schedule; rate limits are ample without any.</summary>
    public IReadOnlyDictionary<string, string?> Settings { get; init; } = new Dictionary<string, string?>();

    /// <summary>What <see cref="FlexWorld.Log"/> keeps.</summary>
    public LogLevel LogLevel { get; init; } = LogLevel.Warning;
}

/// <summary>
/// All of Flex with simulated surroundings on the caller's thread: memory tables, simulated time, seeded ids, no sockets.
/// Nothing happens but inside a request and inside <see cref="AdvanceAsync"/>. The surroundings (tables, Stripe, Salto,
/// clock) outlive a crash of Flex.
/// </summary>
public sealed class FlexWorld : IAsyncDisposable
{
    /// <summary>The loopback, because only there a token issuer may do without TLS. Nothing listens on it.</summary>
    internal static readonly Uri BaseAddress = new("http://localhost");
    private readonly FlexWorldOptions _options;
    private readonly MemoryBlobStore _blobs = new();
    private readonly WorldSimulators _simulators;
    private readonly LocalIdentity _identity = LocalIdentity.OfProcess(BaseAddress);
    private LocalRuntime? _runtime;
    private int _generation;

    private FlexWorld(FlexWorldOptions options)
    {
        _options = options;
        Clock = new SimulatedClock(options.Start);
        Tables = options.Tables?.Clone() ?? new MemoryTableStore();
        Log = new WorldLog(options.LogLevel, () => Crash.IsTripped);
        Crash.Watch(Tables);
        _simulators = new WorldSimulators(this, options);
    }

    public SimulatedClock Clock { get; }

    public MemoryTableStore Tables { get; }

    public CrashSwitch Crash { get; } = new();

    public FaultRegistry Faults { get; } = new();

    public MailDrop Mail { get; } = new(journal: null);

    public WorldLog Log { get; }

    public StripeSimulator Stripe => _simulators.Stripe;

    public SaltoSimulator Salto => _simulators.Salto;

    public IServiceProvider Services => Runtime.Services;

    public LocalRuntime Runtime => _runtime ?? throw new InvalidOperationException("Flex is not running.");

    public Instant Now => Clock.Now;

    public static async Task<FlexWorld> StartAsync(FlexWorldOptions? options = null)
    {
        var world = new FlexWorld(options ?? new FlexWorldOptions());
        await world.StartRuntimeAsync();
        return world;
    }

    public T Get<T>()
        where T : notnull => Services.GetRequiredService<T>();

    /// <summary>A client without a token, also for the <c>/local</c> controls.</summary>
    public HttpClient Anonymous() => new(new WorldHandler(this, token: null)) { BaseAddress = BaseAddress };

    /// <summary>A client whose token is always fresh.</summary>
    public HttpClient As(Role role) => role == Role.Member
        ? throw new ArgumentException("A member has an id.", nameof(role))
        : new(new WorldHandler(this, () => _identity.Token(role, null, Now, LocalIdentity.DefaultLifetime))) { BaseAddress = BaseAddress };

    public HttpClient AsMember(string memberId) =>
        new(new WorldHandler(this, () => _identity.Token(Role.Member, memberId, Now, LocalIdentity.DefaultLifetime))) { BaseAddress = BaseAddress };

    public Task AdvanceAsync(Duration by) => AdvanceToAsync(Now + by);

    /// <exception cref="SimulatedCrashException">Flex died on the way; time stands where it died.</exception>
    public Task AdvanceToAsync(Instant target) => DriveAsync(cancellation => Runtime.Scheduler.AdvanceToAsync(target, cancellation));

    /// <summary>Runs what is due now, without time passing.</summary>
    public Task RunUntilIdleAsync() => DriveAsync(Runtime.Scheduler.RunUntilIdleAsync);

    /// <summary>Throws the running Flex away, whatever it was doing, and starts another one on what it left behind.</summary>
    public async Task CrashAsync()
    {
        if (!Crash.IsTripped)
        {
            // Nothing of the old process may still reach the world, not even while it is taken apart.
            Crash.Arm(0);
            try
            {
                Crash.Step();
            }
            catch (SimulatedCrashException)
            {
                // That is the point.
            }
        }

        await StopRuntimeAsync();
        Crash.Reset();
        await StartRuntimeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await StopRuntimeAsync();
        Stripe.Dispose();
        Mail.Dispose();
        Crash.Dispose();
    }

    internal void Signal() => _runtime?.Scheduler.Changed();

    private async Task DriveAsync(Func<CancellationToken, Task> drive)
    {
        try
        {
            await drive(Crash.Died);
        }
        catch (OperationCanceledException) when (Crash.IsTripped)
        {
            throw new SimulatedCrashException("The simulated process has been killed.");
        }

        if (Crash.IsTripped)
        {
            throw new SimulatedCrashException("The simulated process has been killed.");
        }
    }

    private async Task StartRuntimeAsync()
    {
        // Another process draws other random numbers: with the same ones it would make the same ids again.
        int seed = unchecked((_options.Seed * 1_000_003) + _generation++);
        IReadOnlyList<ILocalModule> modules = [new IdentityModule(_identity), new ControlsModule(), _simulators];
        _runtime = await LocalRuntime.StartAsync(
            new LocalRuntimeOptions
            {
                Clock = Clock,
                BaseAddress = BaseAddress,
                Configuration = new ConfigurationBuilder()
                    .AddInMemoryCollection(modules.SelectMany(m => m.Settings))
                    .AddInMemoryCollection(LocalSettings.AmpleRateLimits)
                    .AddInMemoryCollection(_options.Settings)
                    .Build(),
                Storage = services => services
                    .AddSingleton<ITableStore>(Tables)
                    .AddSingleton<ITableScanner>(Tables)
                    .AddSingleton<IBlobStore>(_blobs)
                    .AddKeyedSingleton<TimeProvider>(NetworkTime.Key, new InstantNetworkTime(Clock)),
                App = (services, configuration) => _options.Services(services.AddFlex(configuration)),
                Modules = modules,
                Scheduling = new SchedulerOptions { TieShuffleSeed = _options.ShuffleTies ? seed : null, MaxUnitsPerInstant = 1_000_000 },
                Queues = new QueueOptions { Hostile = _options.Hostile is { } hostile ? hostile with { Seed = unchecked(hostile.Seed + seed) } : null },
                Faults = Faults,
                Seed = seed,
                InProcessOnly = true,
                Background = false,
                Logging = logging => logging.SetMinimumLevel(_options.LogLevel).AddProvider(Log),
            },
            CancellationToken.None);
    }

    private async Task StopRuntimeAsync()
    {
        if (_runtime is { } runtime)
        {
            _runtime = null;
            await runtime.DisposeAsync();
        }
    }

    /// <summary>A connection to whichever Flex is running. One that dies does not answer.</summary>
    private sealed class WorldHandler(FlexWorld world, Func<string>? token) : HttpMessageHandler
    {
        private readonly Dictionary<int, HttpMessageInvoker> _invokers = [];
        private (string Text, Instant Until) _token;

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            if (token is not null)
            {
                if (_token.Until <= world.Now)
                {
                    _token = (token(), world.Now + (LocalIdentity.DefaultLifetime / 2));
                }

                request.Headers.Authorization ??= new AuthenticationHeaderValue("Bearer", _token.Text);
            }

            if (!_invokers.TryGetValue(world._generation, out HttpMessageInvoker? invoker))
            {
                _invokers.Clear();
                _invokers[world._generation] = invoker = new HttpMessageInvoker(world.Runtime.CreateHandler());
            }

            HttpResponseMessage response = await invoker.SendAsync(request, cancellationToken);
            return world.Crash.IsTripped
                ? throw new HttpRequestException(HttpRequestError.ResponseEnded, "Flex died before it had answered.")
                : response;
        }
    }
}
