using System.Globalization;
using System.Text.Json.Nodes;
using Flex.Bookings;
using Flex.Catalogue;
using Flex.Functions.Tests.Platform.Http;
using Flex.Kernel;
using Flex.Local.Runtime.Storage;
using Flex.Members;
using Flex.Platform;
using Flex.Platform.Blobs;
using Flex.Platform.Http;
using Flex.Platform.Identity;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using Microsoft.Extensions.DependencyInjection;
using NodaTime;

namespace Flex.Functions.Tests.Bookings;

/// <summary>
/// The app on memory tables with a New York location, a meeting room at 12.00 an hour, a customer and a member with an active
/// membership. Calls go through the triggers, as staff unless a test says otherwise. It is 2025-01-01T00:00Z.
/// </summary>
internal sealed class Spaces : IDisposable
{
    private int _memberships;

    /// <param name="replace">Puts other services in the place of the app's.</param>
    public Spaces(Action<IServiceCollection>? replace = null)
        : this(new MemoryTableStore(), new RecordingQueue(), replace)
    {
    }

    private Spaces(MemoryTableStore tables, RecordingQueue queue, Action<IServiceCollection>? replace)
    {
        (Tables, Queue) = (tables, queue);
        App = NewApp(replace);
    }

    private FunctionHarness NewApp(Action<IServiceCollection>? replace) => new(s =>
    {
        s.AddSingleton<ITableStore>(Tables)
            .AddSingleton<IMessagePublisher>(Queue)
            .AddSingleton<IBlobStore, MemoryBlobStore>()
            .AddSingleton<ITokenValidator, PlainTokens>();
        replace?.Invoke(s);
    });

    public static CancellationToken Cancellation => Xunit.TestContext.Current.CancellationToken;

    public MemoryTableStore Tables { get; }

    public RecordingQueue Queue { get; }

    public FunctionHarness App { get; }

    public LocationId Location { get; private set; }

    public RateId Rate { get; private set; }

    public ResourceId Room { get; private set; }

    public CustomerId Customer { get; private set; }

    public MemberId Member { get; private set; }

    /// <summary>The plan that memberships keep: 100.00 a month, without credits and passes.</summary>
    public PlanId Plan { get; private set; }

    public Instant Now => App.Time.Now();

    public T Get<T>()
        where T : notnull => App.Services.GetRequiredService<T>();

    /// <param name="isBare">True leaves out the plan, and the member has no membership.</param>
    public static async Task<Spaces> CreateAsync(
        string timeZone = "America/New_York", string hourly = "12.00", bool isBare = false, Action<IServiceCollection>? replace = null)
    {
        var spaces = new Spaces(replace);
        spaces.Location = await spaces.AddAsync<LocationId>("Locations_Create", new { name = "Main", timeZone, currency = "usd" });
        spaces.Rate = await spaces.AddAsync<RateId>(
            "Rates_Create", new { name = "Rooms", hourlyPrice = Money(hourly), taxRateId = (string?)null, locationIds = Array.Empty<string>() });
        spaces.Room = await spaces.AddRoomAsync();
        spaces.Customer = await spaces.AddAsync<CustomerId>("Customers_Create", new { name = "Acme", billingEmail = "billing@acme.example" });
        spaces.Plan = isBare ? default : await spaces.AddPlanAsync();
        spaces.Member = await spaces.AddMemberAsync(isBare ? null : MembershipStatus.Active);
        return spaces;
    }

    /// <summary>Another process on the same storage: its caches and its gate are its own, so that only versions keep the two apart.</summary>
    public Spaces OtherProcess()
    {
        var other = new Spaces(Tables, Queue, null) { Location = Location, Rate = Rate, Room = Room, Customer = Customer, Member = Member, Plan = Plan };
        other.App.Time.SetUtcNow(App.Time.GetUtcNow());
        return other;
    }

    public static object Money(string amount, string currency = "usd") => new { amount, currency };

    public async Task<ResourceId> AddRoomAsync(string name = "Blue room", BookingTerms? terms = null) => await AddAsync<ResourceId>(
        "Resources_Create", new { locationId = Location.Value, name, kind = "meetingRoom", capacity = 8, rateId = Rate.Value, terms });

    /// <param name="more">Further members of the request.</param>
    public async Task<PlanId> AddPlanAsync(params (string Name, object Value)[] more)
    {
        var plan = new Dictionary<string, object?>
        {
            ["locationId"] = Location.Value,
            ["name"] = "Resident",
            ["kind"] = "recurring",
            ["intervalMonths"] = 1,
            ["price"] = Money("100.00"),
            ["accessGroups"] = Array.Empty<string>(),
            ["isDefault"] = false,
            ["isPublic"] = true,
        };
        foreach ((string name, object value) in more)
        {
            plan[name] = value;
        }

        return await AddAsync<PlanId>("Plans_Create", plan);
    }

    /// <summary>A member, with an active membership unless another status is given; null is none.</summary>
    public async Task<MemberId> AddMemberAsync(MembershipStatus? status = MembershipStatus.Active, Instant? endsAt = null)
    {
        MemberId member = await AddAsync<MemberId>(
            "Members_Create",
            new { customerId = Customer.Value, locationId = Location.Value, email = "ann@acme.example", firstName = "Ann", lastName = "Lee" });
        if (status is { } known)
        {
            await SetStandingAsync(member, NewStanding(known, endsAt));
        }

        return member;
    }

    public MembershipStanding NewStanding(MembershipStatus status, Instant? endsAt = null, long version = 1) => new(
        EntityId.Derive<MembershipId>(string.Create(CultureInfo.InvariantCulture, $"membership {++_memberships}"), EntityId.Home(Location)),
        Location,
        Plan,
        PlanVersion: 1,
        "Resident",
        IsDefault: false,
        status,
        AnchorDate: new LocalDate(2025, 1, 1),
        endsAt,
        version);

    /// <summary>What Memberships would publish, delivered at once.</summary>
    public Task SetStandingAsync(MemberId member, MembershipStanding standing) => DeliverAsync(
        Queues.Memberships,
        new Envelope($"m{++_memberships}", MembershipChanged.Subject, StorageJson.Write(new MembershipChanged(member, standing)), null));

    public Task DowngradeAsync(MembershipStanding current, MemberId? member = null) =>
        SetStandingAsync(member ?? Member, current with { Status = MembershipStatus.Downgraded, Version = current.Version + 1 });

    public async Task<MembershipStanding> StandingAsync(MemberId? member = null) =>
        (await Get<MemberStore>().FindAsync(member ?? Member, Cancellation))!.Standing.Single(s => s.Version > 0);

    /// <summary>Posts to a creating function and returns the new id.</summary>
    public async Task<T> AddAsync<T>(string function, object body)
        where T : struct, IEntityId<T>
    {
        Answer answer = await SendAsync(function, body);
        Xunit.Assert.True(answer.Status == 201, answer.Body);
        return EntityId.Parse<T>((string)answer.Json["id"]!);
    }

    /// <summary>Calls a function; the path's id replaces <c>{id}</c>.</summary>
    public Task<Answer> SendAsync(
        string function, object? body = null, string caller = "staff", string? id = null, string query = "", params (string Name, string Value)[] headers)
    {
        FunctionEntry entry = Get<FunctionCatalog>().Find(function)!;
        string path = "/api/" + entry.Route.Replace("{id}", id, StringComparison.Ordinal) + query;
        string? json = body is null ? null : body as string ?? HttpJson.Write(body);
        return App.SendAsync(function, entry.Methods[0], path, json, [("Authorization", "Bearer " + caller), .. headers]);
    }

    /// <summary>Sends a file to a function.</summary>
    public Task<Answer> UploadAsync(string function, string id, byte[] file, string contentType, string ifMatch = "*", string caller = "staff")
    {
        FunctionEntry entry = Get<FunctionCatalog>().Find(function)!;
        string path = "/api/" + entry.Route.Replace("{id}", id, StringComparison.Ordinal);
        return App.SendBytesAsync(function, entry.Methods[0], path, file, ("Authorization", "Bearer " + caller), ("Content-Type", contentType), ("If-Match", ifMatch));
    }

    public static string As(MemberId member) => "member." + member;

    public object Wish(string start, string end, MemberId? member = null, ResourceId? room = null) =>
        new { resourceId = (room ?? Room).Value, start, end, memberId = (member ?? Member).Value };

    public Task<Answer> BookAsync(string start, string end, string caller = "staff", MemberId? member = null, ResourceId? room = null, string? key = null) =>
        SendAsync("Bookings_Create", Wish(start, end, member, room), caller, headers: key is null ? [] : [("Idempotency-Key", key)]);

    public async Task<Booking> FindAsync(Answer answer) =>
        (await Get<BookingStore>().ReadAsync(EntityId.Parse<BookingId>((string)answer.Json["id"]!), Cancellation))!.Value;

    /// <summary>Delivers what is on a queue, and what that leads to, until nothing is left.</summary>
    public async Task DrainAsync(string queue)
    {
        while (Queue.Take(queue) is { } message)
        {
            await DeliverAsync(queue, message);
        }
    }

    public Task DeliverAsync(string queue, Envelope message) =>
        App.Services.GetServices<IMessageHandler>().Single(h => h.Queue == queue && h.Subject == message.Subject).HandleAsync(message, Cancellation);

    public void Dispose() => App.Dispose();

    /// <summary>Tokens are the role, for members followed by the id.</summary>
    private sealed class PlainTokens : ITokenValidator
    {
        public Task<Result<Caller>> ValidateAsync(string? token, CancellationToken cancellation) => Task.FromResult<Result<Caller>>(token switch
        {
            "owner" => new Caller(Role.Owner, "owner-1"),
            "staff" => new Caller(Role.Staff, "staff-1"),
            { } text when text.StartsWith("member.", StringComparison.Ordinal) =>
                new Caller(Role.Member, text, EntityId.Parse<MemberId>(text["member.".Length..])),
            _ => new Error(ErrorKind.Unauthenticated, ErrorCodes.Unauthenticated, "No token."),
        });
    }
}

/// <summary>Keeps what was published until a test takes it; the outbox's sweeps are left out.</summary>
internal sealed class RecordingQueue : IMessagePublisher
{
    private readonly Lock _lock = new();
    private readonly List<(string Queue, Envelope Message)> _messages = [];

    public Task PublishAsync(string queue, Envelope message, Duration? delay, CancellationToken cancellation)
    {
        lock (_lock)
        {
            if (queue != Queues.Outbox)
            {
                _messages.Add((queue, message));
            }
        }

        return Task.CompletedTask;
    }

    public IReadOnlyList<T> On<T>(string queue, string subject)
    {
        lock (_lock)
        {
            return [.. _messages.Where(m => m.Queue == queue && m.Message.Subject == subject).Select(m => m.Message.Read<T>())];
        }
    }

    public Envelope? Take(string queue)
    {
        lock (_lock)
        {
            int index = _messages.FindIndex(m => m.Queue == queue);
            if (index < 0)
            {
                return null;
            }

            Envelope message = _messages[index].Message;
            _messages.RemoveAt(index);
            return message;
        }
    }
}
