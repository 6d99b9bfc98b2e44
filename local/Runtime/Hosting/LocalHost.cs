using System.Globalization;
using System.Net;
using Flex.Local.Runtime.Azurite;
using Flex.Local.Runtime.Functions;
using Flex.Local.Runtime.Scheduling;
using Flex.Platform.Blobs;
using Flex.Platform.Tables;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using NodaTime;

namespace Flex.Local.Runtime.Hosting;

/// <summary>What <c>flex run</c> is asked for.</summary>
/// <param name="Port">0 is any free one.</param>
/// <param name="Data">Null keeps everything in memory; Azurite needs a directory.</param>
/// <param name="Clock">Where a new simulated clock starts; null is real time, or what the data directory lives by.</param>
public sealed record LocalHostOptions(int Port = 7071, string? Data = null, Instant? Clock = null, bool Memory = false)
{
    public Action<ILoggingBuilder> Logging { get; init; } = _ => { };

    /// <summary>A local.settings.json; what it sets goes before the local defaults.</summary>
    public string? SettingsFile { get; init; }

    /// <summary>Settings of whoever starts the host; what the user has configured goes before them.</summary>
    public IReadOnlyDictionary<string, string?> Settings { get; init; } = new Dictionary<string, string?>();
}

/// <summary>
/// Flex on one machine behind Kestrel on the loopback: storage, functions, simulators and controls. Whatever it has
/// acknowledged is on disk, so a start on the same data directory goes on after any kind of end.
/// </summary>
public sealed class LocalHost : IAsyncDisposable
{
    private readonly Stack<IAsyncDisposable> _parts = new();
    private volatile LocalRuntime? _runtime;

    private LocalHost()
    {
    }

    public Uri Address { get; private set; } = null!;

    public LocalRuntime Runtime => _runtime ?? throw new InvalidOperationException("The host has not started.");

    /// <summary>Null when storage is in memory.</summary>
    public AzuriteProcess? Azurite { get; private set; }

    /// <exception cref="LocalHostException">With one line that says what to do.</exception>
    public static async Task<LocalHost> StartAsync(LocalHostOptions options, CancellationToken cancellation)
    {
        var host = new LocalHost();
        try
        {
            await host.OpenAsync(options, cancellation);
            return host;
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }
    }

    /// <summary>The reverse of the start: no more requests, no more work, then storage.</summary>
    public async ValueTask DisposeAsync()
    {
        while (_parts.TryPop(out IAsyncDisposable? part))
        {
            await part.DisposeAsync();
        }
    }

    private async Task OpenAsync(LocalHostOptions options, CancellationToken cancellation)
    {
        DataDirectory? data = options.Data is { } path ? Own(DataDirectory.Open(path)) : null;
        if (data is null && !options.Memory)
        {
            throw new LocalHostException("Storage in Azurite needs a --data directory.");
        }

        if (!options.Memory)
        {
            using ILoggerFactory loggers = LoggerFactory.Create(options.Logging);
            Azurite = await StartAzuriteAsync(data!, loggers, cancellation);
            _parts.Push(Azurite);
        }

        // Storage in memory is empty at every start, so its clock is not continued either.
        Instant? clock = options.Memory ? options.Clock : data!.OpenClock(options.Clock);

        // Kestrel first: the address is part of the settings. Requests before the runtime is up are told to come again.
        // At the end the other way round: due work stops, then requests under way are answered, then the runtime goes.
        WebApplication web = await ListenAsync(options, cancellation);
        _parts.Push(new Closing(() => _runtime?.DisposeAsync() ?? ValueTask.CompletedTask));
        _parts.Push(web);
        _parts.Push(new Closing(() => _runtime is { } runtime ? new ValueTask(runtime.Scheduler.StopAsync()) : ValueTask.CompletedTask));
        data?.SavePort(Address.Port);
        _runtime = await LocalRuntime.StartAsync(RuntimeOptions(options, options.Memory ? null : data, clock), cancellation);
    }

    private LocalRuntimeOptions RuntimeOptions(LocalHostOptions options, DataDirectory? data, Instant? clock)
    {
        LocalIdentity identity = data is null ? LocalIdentity.OfProcess(Address) : LocalIdentity.OfFile(data.IdentityKey, Address);
        IConfiguration user = LocalSettings.OfUser(options.SettingsFile);
        IReadOnlyList<ILocalModule> modules = LocalModules.All(Address, identity, user, data, seed: 0);
        IConfiguration configuration = LocalSettings.Create(user, modules, options.Settings, Azurite?.ConnectionString);
        return new LocalRuntimeOptions
        {
            Clock = clock is { } now ? new SimulatedClock(now) : TimeProvider.System,
            BaseAddress = Address,
            Configuration = configuration,
            HostJson = HostJson.Load(Path.Combine(AppContext.BaseDirectory, "host.json")),
            Modules = modules,
            Scheduling = new SchedulerOptions { ClockMoves = data is null ? null : data.SaveClock },
            Storage = services => AddStorage(services, configuration, memory: Azurite is null),
            Logging = options.Logging,
        };
    }

    private static void AddStorage(IServiceCollection services, IConfiguration configuration, bool memory)
    {
        if (memory)
        {
            services.AddMemoryStorage();
        }
        else
        {
            services.AddAzureTables(configuration).AddAzureBlobs(configuration);
        }
    }

    private static async Task<AzuriteProcess> StartAzuriteAsync(DataDirectory data, ILoggerFactory loggers, CancellationToken cancellation)
    {
        try
        {
            return await AzuriteProcess.StartAsync(data.Azurite, loggers.CreateLogger<AzuriteProcess>(), cancellation);
        }
        catch (AzuriteUnavailableException unavailable)
        {
            throw new LocalHostException(unavailable.Message);
        }
    }

    private async Task<WebApplication> ListenAsync(LocalHostOptions options, CancellationToken cancellation)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, options.Port);
            kestrel.Limits.MaxRequestBodySize = HttpFunctionDispatcher.MaxBodyBytes;
            kestrel.AddServerHeader = false;
        });
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = TimeSpan.FromSeconds(10));
        options.Logging(builder.Logging);
        builder.Logging.AddFilter("Microsoft", LogLevel.Warning);
        WebApplication web = builder.Build();
        web.Run(HandleAsync);
        try
        {
            await web.StartAsync(cancellation);
        }
        catch (IOException inUse)
        {
            await web.DisposeAsync();
            throw new LocalHostException($"Port {options.Port.ToString(CultureInfo.InvariantCulture)} cannot be used: {inUse.Message} Choose another --port.");
        }

        Address = new Uri(web.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
        return web;
    }

    private Task HandleAsync(HttpContext http)
    {
        if (_runtime is { } runtime)
        {
            return runtime.HandleAsync(http);
        }

        http.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
        http.Response.Headers.RetryAfter = "1";
        return Task.CompletedTask;
    }

    private DataDirectory Own(DataDirectory data)
    {
        _parts.Push(new Closing(() =>
        {
            data.Dispose();
            return ValueTask.CompletedTask;
        }));
        return data;
    }

    private sealed class Closing(Func<ValueTask> close) : IAsyncDisposable
    {
        public ValueTask DisposeAsync() => close();
    }
}
