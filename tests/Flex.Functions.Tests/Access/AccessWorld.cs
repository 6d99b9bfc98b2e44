using Flex.Access;
using Flex.Kernel;
using Flex.Local.Runtime.Storage;
using Flex.Local.Simulators;
using Flex.Local.Simulators.Salto;
using Flex.Platform;
using Flex.Platform.Messaging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using NodaTime;

namespace Flex.Functions.Tests.Access;

/// <summary>The access feature on memory tables and the simulated Salto KS, with a clock and a broker one can hold in hand.</summary>
internal sealed class AccessWorld : IAccessDirectory, IAccessSettings, IMessagePublisher, IHttpClientFactory, IIdSource, IDisposable
{
    public const string Email = "ann@flex.test";
    public static readonly MemberId Ann = EntityId.Derive<MemberId>("ann");

    private readonly List<HttpClient> _clients = [];
    private readonly List<Envelope> _delayed = [];
    private long _id;

    public AccessWorld(int seats = 3, params SaltoUserSeed[] users)
        : this(new SaltoSimulatorOptions(), seats, users)
    {
    }

    public AccessWorld(SaltoSimulatorOptions salto, int seats, params SaltoUserSeed[] users)
    {
        Salto = new SaltoSimulator(new SaltoState(new JsonLinesJournal(null)), Time, salto, Faults);
        Site = Salto.Control.Seed(new SaltoSiteSeed("House", seats, ["coworking", "night", "cleaners"], users));
        Settings = new AccessSettings(true, Site.SiteId, new HashSet<string> { Group("coworking"), Group("night") });
        Restart();
    }

    public FakeTimeProvider Time { get; } = new(DateTimeOffset.UnixEpoch.AddYears(55));

    public SaltoFaultQueue Faults { get; } = new();

    public SaltoSimulator Salto { get; }

    public SaltoSeeded Site { get; }

    public MemoryTableStore Tables { get; } = new();

    public AccessSettings Settings { get; set; }

    public AccessPerson? Person { get; set; } = new(Email, "Ann", "Member");

    public SaltoOptions Options { get; set; } = new()
    {
        IdentityUrl = "http://salto.test/local/salto/identity",
        ApiUrl = "http://salto.test/local/salto/api",
        ClientId = "flex-local",
        ClientSecret = "flex-local-secret",
        MaxRequestsPerSecond = 0,
    };

    /// <summary>Ends the process, as a kill does, at the so-many-th call to Salto; negative never.</summary>
    public int CrashAtCall { get; set; } = -1;

    /// <summary>Ends the process, once, at the first POST to a path that ends so.</summary>
    public string? CrashAtPath { get; set; }

    /// <summary>Whether the call still reaches Salto.</summary>
    public bool CrashAfterEffect { get; set; }

    public List<string> Calls { get; } = [];

    public AccessStore Store { get; private set; } = null!;

    public ApplyEntitlement Apply { get; private set; } = null!;

    public ReconcileMemberAccess Look { get; private set; } = null!;

    public ReconcilePendingAccess Reconcile { get; private set; } = null!;

    public GetAccess Get { get; private set; } = null!;

    public SaltoUserFacts? User => Salto.Inspection.User(Site.SiteId, Email);

    private static CancellationToken Ct => Xunit.TestContext.Current.CancellationToken;

    /// <summary>A world in which Ann has the groups, each from a source of the same name, and Salto has followed.</summary>
    public static async Task<AccessWorld> GrantedAsync(params string[] groups)
    {
        var world = new AccessWorld();
        foreach (string group in groups)
        {
            await world.TellAsync(world.Grants(group, 1, group));
        }

        await world.SettleAsync();
        Xunit.Assert.Equal(groups.Length, world.User!.Groups.Count);
        return world;
    }

    /// <summary>A new process on the same tables.</summary>
    public void Restart()
    {
        var session = new SaltoSession(this, Options, Time, TimeProvider.System);
        Store = new AccessStore(Tables, new Committer(Tables, this, this, Time, NullLogger<Committer>.Instance), this);
        var sync = new AccessSync(Store, new SaltoClient(session, Options), this, this, Time, NullLogger<AccessSync>.Instance);
        Apply = new ApplyEntitlement(Store, sync, Time);
        Look = new ReconcileMemberAccess(sync);
        Reconcile = new ReconcilePendingAccess(Store, sync, this, NullLogger<ReconcilePendingAccess>.Instance);
        Get = new GetAccess(Store, this);
    }

    public string Group(string reference) => Site.Groups[reference];

    public EntitlementChanged Grants(string source, long version, params string[] groups) => new(Ann, source, version, [.. groups.Select(Group)], null);

    public static EntitlementChanged Ends(string source, long version, AccessEndReason reason) => new(Ann, source, version, [], reason);

    public Task TellAsync(EntitlementChanged change) => Apply.HandleAsync(
        new Envelope($"msg_{change.SourceId}_{change.Version}", EntitlementChanged.Subject, StorageJson.Write(change), null), Ct);

    /// <summary>Delivers until the broker takes the message, restarting the process whenever it is killed.</summary>
    public async Task TellUntilTakenAsync(EntitlementChanged change)
    {
        while (true)
        {
            try
            {
                await TellAsync(change);
                return;
            }
            catch (Exception fault) when (fault is KilledException or TransientFaultException)
            {
                Restart();
            }
        }
    }

    /// <summary>Lets time pass and delivers what was to be delivered later, then runs the periodic reconcile.</summary>
    public async Task SettleAsync()
    {
        for (int i = 0; i < 8; i++)
        {
            Time.Advance(TimeSpan.FromMinutes(15));
            Envelope[] due = [.. _delayed];
            _delayed.Clear();
            foreach (Envelope message in due)
            {
                await Look.HandleAsync(message, Ct);
            }

            await Reconcile.RunAsync(Ct);
        }
    }

    public async Task<MemberAccess> AccessAsync() => (await Store.FindAsync(Ann, Ct)).Access;

    public int PendingMembers() => Tables.Snapshot(AccessStore.Table, "pending").Count(r => r.Key.StartsWith("mbr_", StringComparison.Ordinal));

    /// <summary>The facts at Salto and here that a disturbed run must share with an undisturbed one.</summary>
    public async Task<string> OutcomeAsync()
    {
        MemberAccess access = await AccessAsync();
        SaltoUserFacts? user = User;
        return $"{access.State} {access.Attention} pending={access.Pending} listed={PendingMembers()} applied={string.Join(",", access.Applied)} "
            + $"salto={user?.SubscriptionState} {string.Join(",", user?.Groups ?? [])} users={Salto.Inspection.Users().Count}";
    }

    public HttpClient CreateClient(string name)
    {
        var client = new HttpClient(new CrashingHandler(this) { InnerHandler = new SaltoSimulatorHandler(Salto) });
        _clients.Add(client);
        return client;
    }

    public Task PublishAsync(string queue, Envelope message, Duration? delay, CancellationToken cancellation)
    {
        if (queue == Queues.Access)
        {
            _delayed.Add(message);
        }

        return Task.CompletedTask;
    }

    public string Next() => EntityId.Derive<MemberId>($"id {_id++}").Value[4..];

    public Task<AccessPerson?> FindAsync(MemberId memberId, CancellationToken cancellation) => Task.FromResult(memberId == Ann ? Person : null);

    public Task<AccessSettings> GetAsync(CancellationToken cancellation) => Task.FromResult(Settings);

    public void Dispose() => _clients.ForEach(c => c.Dispose());

    /// <summary>Stands for the end of the process: nothing may catch it.</summary>
    internal sealed class KilledException : Exception
    {
    }

    private sealed class CrashingHandler(AccessWorld world) : DelegatingHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            world.Calls.Add($"{request.Method} {request.RequestUri!.PathAndQuery}");
            bool crash = world.CrashAtCall-- == 0;
            if (world.CrashAtPath is { } path && request.Method == HttpMethod.Post && request.RequestUri.AbsolutePath.EndsWith(path, StringComparison.Ordinal))
            {
                crash = true;
                world.CrashAtPath = null;
            }

            if (crash && !world.CrashAfterEffect)
            {
                throw new KilledException();
            }

            HttpResponseMessage response = await base.SendAsync(request, cancellationToken);
            return crash ? throw new KilledException() : response;
        }
    }
}
