using System.Diagnostics;
using Flex.Local.Runtime.Durable;
using Flex.Local.Runtime.Functions;
using Flex.Local.Runtime.InProcess;
using Flex.Local.Runtime.Queueing;
using Flex.Local.Runtime.Scheduling;
using Flex.Local.Runtime.Timers;
using Flex.Platform.Health;
using Flex.Platform.Messaging;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Http;
using Microsoft.Extensions.Logging;

namespace Flex.Local.Runtime.Hosting;

/// <summary>
/// The functions host in one process: functions, timers, queues and the task hub over one scheduler, without any socket of its
/// own. <see cref="LocalHost"/> puts Kestrel in front of it, test worlds call it in process.
/// </summary>
public sealed class LocalRuntime : IAsyncDisposable
{
    private readonly ServiceProvider _services;
    private readonly LocalRuntimeOptions _options;
    private readonly HttpFunctionDispatcher _functions;
    private readonly Lazy<RequestDelegate> _local;

    private LocalRuntime(LocalRuntimeOptions options)
    {
        _options = options;
        _services = Compose(options, this);
        _functions = _services.GetRequiredService<HttpFunctionDispatcher>();
        _local = new Lazy<RequestDelegate>(BuildLocalEndpoints);
        Scheduler = _services.GetRequiredService<Scheduler>();
    }

    public IServiceProvider Services => _services;

    public Scheduler Scheduler { get; }

    /// <summary>Composes everything, loads what an earlier process left behind, and starts the scheduler.</summary>
    public static async Task<LocalRuntime> StartAsync(LocalRuntimeOptions options, CancellationToken cancellation)
    {
        var runtime = new LocalRuntime(options);
        try
        {
            await runtime.LoadAsync(cancellation);
            return runtime;
        }
        catch
        {
            await runtime.DisposeAsync();
            throw;
        }
    }

    /// <summary>Serves one request: functions behind the route prefix, the modules' endpoints elsewhere.</summary>
    public async Task HandleAsync(HttpContext http)
    {
        if (_functions.Owns(http.Request.Path))
        {
            await _functions.HandleAsync(http);
            return;
        }

        await using AsyncServiceScope scope = _services.CreateAsyncScope();
        http.RequestServices = scope.ServiceProvider;
        await _local.Value(http);
    }

    /// <summary>A client of this runtime that needs no socket.</summary>
    public HttpClient CreateClient() => new(CreateHandler()) { BaseAddress = _options.BaseAddress };

    public InProcessHandler CreateHandler() => new(HandleAsync, HttpFunctionDispatcher.MaxBodyBytes);

    public async ValueTask DisposeAsync()
    {
        await Scheduler.StopAsync();
        await _services.DisposeAsync();
    }

    private static ServiceProvider Compose(LocalRuntimeOptions options, LocalRuntime runtime)
    {
        var services = new ServiceCollection();
        services.AddLogging(options.Logging);
        services.AddSingleton(options.Clock);
        services.AddSingleton(options.Configuration);
        services.AddSingleton(options.Faults);
        services.AddSingleton(options.Functions);
        services.AddSingleton(options.HostJson);
        services.AddSingleton(options.Scheduling);
        services.AddSingleton(options.Queues);
        services.AddSingleton(new FunctionPipeline(options.Middleware));
        services.AddSingleton(new InvocationIds(options.Seed));
        services.AddSingleton<IIdSource>(Ids(options));
        services.AddSingleton<Scheduler>();
        services.AddSingleton<IWorkSignal>(s => s.GetRequiredService<Scheduler>());
        services.AddSingleton<FunctionInvoker>();
        services.AddSingleton<HttpFunctionDispatcher>();
        options.Storage(services);
        AddSources(services);
        options.App(services, options.Configuration);
        foreach (Type middleware in options.Middleware)
        {
            services.TryAddSingleton(middleware);
        }

        services.AddRouting();
        services.AddHttpClient();
        services.TryAddSingleton(new DiagnosticListener("Flex.Local"));
        if (options.InProcessOnly)
        {
            services.AddSingleton<IHttpMessageHandlerBuilderFilter>(s =>
                new InProcessTransport(() => new SelfHandler(s, options.BaseAddress, runtime.CreateHandler())));
        }

        foreach (ILocalModule module in options.Modules)
        {
            module.Configure(services);
        }

        return services.BuildServiceProvider();
    }

    /// <summary>The order of registration is the order among work due at the same instant.</summary>
    private static void AddSources(IServiceCollection services)
    {
        services.AddSingleton<IMessageReceiver, FunctionMessageReceiver>();
        services.AddSingleton<LocalQueues>();
        services.AddSingleton<IMessagePublisher>(s => s.GetRequiredService<LocalQueues>());
        services.AddSingleton<IDeadLetters>(s => s.GetRequiredService<LocalQueues>());
        services.AddSingleton<IReadinessCheck>(s => s.GetRequiredService<LocalQueues>());
        services.AddSingleton<ITaskInvoker, FunctionTaskInvoker>();
        services.AddSingleton<LocalTaskHub>();
        services.AddSingleton<DurableTaskClient>(s => s.GetRequiredService<LocalTaskHub>().Client);
        services.AddSingleton<TimerRunner>(s => (function, timer, cancellation) =>
            s.GetRequiredService<FunctionInvoker>().InvokeAsync(function, new Invocation(_ => timer) { Cancellation = cancellation }));
        services.AddSingleton<TimerSource>();
        services.AddSingleton<IWorkSource>(s => s.GetRequiredService<LocalQueues>());
        services.AddSingleton<IWorkSource>(s => s.GetRequiredService<LocalTaskHub>());
        services.AddSingleton<IWorkSource>(s => s.GetRequiredService<TimerSource>());
    }

    private static TimeOrderedIds Ids(LocalRuntimeOptions options) => options.Seed is { } seed
        ? new TimeOrderedIds(options.Clock, new Random(seed).NextBytes)
        : TimeOrderedIds.Random(options.Clock);

    private async Task LoadAsync(CancellationToken cancellation)
    {
        _services.GetRequiredService<LocalTaskHub>().Call(_services.GetRequiredService<ITaskInvoker>());
        IWorkSource[] sources = [.. _services.GetServices<IWorkSource>()];
        foreach (ILoadable loadable in sources.OfType<ILoadable>().Concat(_services.GetServices<ILoadable>()).Distinct())
        {
            await loadable.LoadAsync(cancellation);
        }

        foreach (IWorkSource source in sources)
        {
            Scheduler.Add(source);
        }

        if (_options.Background)
        {
            Scheduler.Start();
        }
    }

    private RequestDelegate BuildLocalEndpoints()
    {
        var app = new ApplicationBuilder(_services);
        app.UseRouting();
        app.UseEndpoints(routes =>
        {
            foreach (ILocalModule module in _options.Modules)
            {
                module.Map(routes);
            }
        });
        return app.Build();
    }
}
