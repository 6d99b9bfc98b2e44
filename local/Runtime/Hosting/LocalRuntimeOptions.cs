using Flex.Local.Runtime.Faults;
using Flex.Local.Runtime.Functions;
using Flex.Local.Runtime.Queueing;
using Flex.Local.Runtime.Scheduling;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Flex.Local.Runtime.Hosting;

/// <summary>What a runtime is made of. The defaults are Flex; the runtime's own tests put other functions in their place.</summary>
public sealed record LocalRuntimeOptions
{
    /// <summary>Business time: the machine's clock or a <see cref="SimulatedClock"/>.</summary>
    public required TimeProvider Clock { get; init; }

    /// <summary>Registers the adapters of tables, their scanner, and blobs.</summary>
    public required Action<IServiceCollection> Storage { get; init; }

    /// <summary>Where the app is reached, by itself too. Without sockets any address will do.</summary>
    public required Uri BaseAddress { get; init; }

    public IConfiguration Configuration { get; init; } = new ConfigurationBuilder().Build();

    public FunctionCatalogue Functions { get; init; } = FunctionCatalogue.Of(typeof(FlexApp).Assembly);

    public IReadOnlyList<Type> Middleware { get; init; } = FlexApp.Middleware;

    public Action<IServiceCollection, IConfiguration> App { get; init; } = (services, configuration) => services.AddFlex(configuration);

    public HostJson HostJson { get; init; } = HostJson.Default;

    public IReadOnlyList<ILocalModule> Modules { get; init; } = [];

    public SchedulerOptions Scheduling { get; init; } = new();

    public QueueOptions Queues { get; init; } = new();

    /// <summary>Given when faults must outlive the runtime.</summary>
    public FaultRegistry Faults { get; init; } = new();

    /// <summary>Makes ids reproducible; null draws them at random.</summary>
    public int? Seed { get; init; }

    /// <summary>Outgoing HTTP never leaves the process: calls to <see cref="BaseAddress"/> are answered here, others fail.</summary>
    public bool InProcessOnly { get; init; }

    /// <summary>Keeps up with due work by itself; otherwise the caller drives the <see cref="Scheduler"/>.</summary>
    public bool Background { get; init; } = true;

    public Action<ILoggingBuilder> Logging { get; init; } = _ => { };
}
