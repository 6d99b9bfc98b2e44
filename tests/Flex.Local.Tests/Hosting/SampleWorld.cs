using Flex.Kernel;
using Flex.Local.Runtime.Functions;
using Flex.Local.Runtime.Hosting;
using Flex.Local.Runtime.Queueing;
using Flex.Local.Runtime.Scheduling;
using Flex.Local.Runtime.Storage;
using Flex.Platform;
using Flex.Platform.Blobs;
using Flex.Platform.Tables;
using Microsoft.Extensions.DependencyInjection;
using NodaTime;

namespace Flex.Local.Tests.Hosting;

/// <summary>The runtime with the sample functions, memory tables and simulated time; the tables outlive it.</summary>
internal sealed class SampleWorld : IAsyncDisposable
{
    public static readonly Instant Start = Instant.FromUtc(2025, 1, 1, 0, 0);
    private static readonly FunctionCatalogue Catalogue = FunctionCatalogue.Of(typeof(SampleFunctions), typeof(SampleWork));

    private readonly LocalRuntime _runtime;

    private SampleWorld(LocalRuntime runtime)
    {
        _runtime = runtime;
        Client = runtime.CreateClient();
    }

    public HttpClient Client { get; }

    public Scheduler Scheduler => _runtime.Scheduler;

    public List<string> Lines => Get<Seen>().Lines;

    public static async Task<SampleWorld> StartAsync(
        MemoryTableStore? tables = null, Instant? at = null, FunctionCatalogue? catalogue = null, QueueOptions? queues = null)
    {
        tables ??= new MemoryTableStore();
        return new SampleWorld(await LocalRuntime.StartAsync(
            new LocalRuntimeOptions
            {
                Clock = new SimulatedClock(at ?? Start),
                BaseAddress = new Uri("http://flex.test"),
                Functions = catalogue ?? Catalogue,
                Middleware = [typeof(OuterMiddleware), typeof(InnerMiddleware)],
                App = (services, _) => services.AddPlatformStorage().AddSingleton<Seen>().AddScoped<ScopedThing>(),
                Storage = services => services
                    .AddSingleton<ITableStore>(tables)
                    .AddSingleton<ITableScanner>(tables)
                    .AddSingleton<IBlobStore>(new MemoryBlobStore()),
                Modules = [new ControlsModule(), new IdentityModule(LocalIdentity.OfProcess(new Uri("http://flex.test")))],
                Queues = queues ?? new QueueOptions(),
                Seed = 1,
                InProcessOnly = true,
                Background = false,
            },
            CancellationToken.None));
    }

    public T Get<T>()
        where T : notnull => _runtime.Services.GetRequiredService<T>();

    public Task AdvanceAsync(Duration by) => Scheduler.AdvanceToAsync(Scheduler.Now + by, CancellationToken.None);

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _runtime.DisposeAsync();
    }
}
