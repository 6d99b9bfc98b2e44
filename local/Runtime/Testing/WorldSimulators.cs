using Flex.Access;
using Flex.Local.Runtime.Hosting;
using Flex.Local.Runtime.Scheduling;
using Flex.Local.Simulators;
using Flex.Local.Simulators.Salto;
using Flex.Local.Simulators.Stripe;
using Flex.Platform.Mail;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Flex.Local.Runtime.Testing;

/// <summary>Stripe, Salto and the mail drop of one world. They belong to the world, not to the Flex that runs in it.</summary>
internal sealed class WorldSimulators : ILocalModule
{
    private readonly FlexWorld _world;

    public WorldSimulators(FlexWorld world, FlexWorldOptions options)
    {
        _world = world;
        Stripe = new StripeSimulator(
            options.Stripe(LocalModules.Stripe(FlexWorld.BaseAddress, unchecked((ulong)options.Seed))),
            world.Clock,
            new HttpMessageInvoker(new Webhooks(world)),
            new Forward(world),
            new StripeRegistryFaults(world.Faults));
        Salto = new SaltoSimulator(new SaltoState(new JsonLinesJournal(path: null)), world.Clock, options.Salto, new RegisteredSaltoFaults(world.Faults));
        Settings = new StripeSimulatorModule(Stripe.Options).Settings.Concat(new SaltoModule(null, options.Salto).Settings).ToDictionary();
    }

    public StripeSimulator Stripe { get; }

    public SaltoSimulator Salto { get; }

    public IReadOnlyDictionary<string, string?> Settings { get; }

    public void Configure(IServiceCollection services)
    {
        services.AddSingleton(Stripe);
        services.AddSingleton(Stripe.Work);
        services.AddSingleton(Salto);
        services.AddSingleton<IMailer>(s => new DroppingMailer(_world.Mail, _world.Faults, s.GetRequiredService<TimeProvider>()));
        services.AddSingleton(new InProcessRoute(StripeSimulatorModule.Prefix + "/v1/", _world.Crash.Watch(new StripeSimulatorHandler(Stripe))));
        services.AddHttpClient(SaltoSession.HttpClientName)
            .ConfigurePrimaryHttpMessageHandler(() => _world.Crash.Watch(new SaltoSimulatorHandler(Salto)));
    }

    public void Map(IEndpointRouteBuilder routes)
    {
        new StripeSimulatorModule(Stripe.Options).Map(routes);
        MailModule.Map(routes, _world.Mail);
        routes.MapSalto(Salto);
    }

    private sealed class Forward(FlexWorld world) : IWorkSignal
    {
        public void Changed() => world.Signal();
    }

    /// <summary>Deliveries to whichever Flex is running; a dead one is a refused connection.</summary>
    private sealed class Webhooks(FlexWorld world) : HttpMessageHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            using var invoker = new HttpMessageInvoker(world.Runtime.CreateHandler());
            HttpResponseMessage response = await invoker.SendAsync(request, cancellationToken);
            return world.Crash.IsTripped ? throw new HttpRequestException(HttpRequestError.ResponseEnded, "Flex died.") : response;
        }
    }
}
