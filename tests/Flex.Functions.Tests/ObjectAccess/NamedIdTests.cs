using System.Collections;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using Flex.Kernel;
using Flex.Platform.Http;
using Flex.Platform.Identity;
using Xunit;

namespace Flex.Functions.Tests.ObjectAccess;

/// <summary>
/// Ids in the bodies and queries of what members and strangers may call. Each stands in this table or, where it is what the request is
/// about, in <see cref="AccessTable"/>: there is no third way to name something.
/// </summary>
[Collection(nameof(Premises))]
public sealed class NamedIdTests(Premises premises)
{
    /// <summary>Locations are everybody's to see.</summary>
    private static readonly string[] Public =
    [
        "CheckIns_Create.locationId", "Plans_List.location", "Rates_List.location", "Resources_List.location",
    ];

    /// <summary>What is there, and what only staff may name or be shown.</summary>
    private static readonly Dictionary<string, Func<Premises, string>> Hidden = new(StringComparer.Ordinal)
    {
        ["Bookings_Create.resourceId"] = w => w.HiddenRoom,
        ["Bookings_Preview.resourceId"] = w => w.HiddenRoom,
        ["Bookings_Change.resourceId"] = w => w.HiddenRoom,
        ["Bookings_PreviewChange.resourceId"] = w => w.HiddenRoom,
        ["Bookings_List.resourceId"] = w => w.Room,
        ["Memberships_List.locationId"] = w => w.Location,
        ["Memberships_SignUp.planId"] = w => w.HiddenPlan,
        ["RecurringBookings_Create.resourceId"] = w => w.HiddenRoom,
        ["RecurringBookings_Preview.resourceId"] = w => w.HiddenRoom,
        ["RecurringBookings_Update.resourceId"] = w => w.HiddenRoom,
        ["Storefront_Book.resourceId"] = w => w.HiddenRoom,
        ["Storefront_Preview.resourceId"] = w => w.HiddenRoom,
    };

    private static readonly (int Status, string Code)[] Refusals =
        [(422, ErrorCodes.UnknownReference), (404, ErrorCodes.NotFound), (403, ErrorCodes.Forbidden)];

    /// <summary>What anybody may say.</summary>
    private static readonly string[] ForAll = ["Bookings_Create.hold", "Bookings_Preview.hold", "CheckIns_Create.halfDay"];

    /// <summary>What staff say.</summary>
    private static readonly string[] ForStaff =
    [
        "Bookings_Cancel.bySpace", "Bookings_Cancel.waive", "Bookings_Change.overridePolicy", "Bookings_Create.overridePolicy",
        "Bookings_Preview.overridePolicy", "Bookings_PreviewChange.overridePolicy", "RecurringBookings_Cancel.bySpace", "RecurringBookings_Cancel.waive",
        "RecurringBookings_Create.overridePolicy", "RecurringBookings_Include.overridePolicy", "RecurringBookings_Preview.overridePolicy",
        "RecurringBookings_Update.overridePolicy",
    ];

    public static TheoryData<string> ForStaffNames => [.. ForStaff];

    public static TheoryData<string> HiddenNames => [.. Hidden.Keys];

    [Fact]
    public void Every_id_that_a_member_may_name_is_in_a_table()
    {
        string[] found =
        [
            .. from entry in premises.Catalog.Entries
               where entry.AllowAnyone is not null || entry.Allow!.Roles.Contains(Role.Member)
               from type in new[] { entry.Operation?.Body, entry.Operation?.Query }.OfType<Type>()
               from name in IdsIn(type, string.Empty)
               select $"{entry.Name}.{name}",
        ];
        string[] about = [.. AccessTable.All.Where(g => g.Reach is not (Reach.Staff or Reach.Owner)).Select(AboutIn).OfType<string>()];

        Assert.True(found.Length > 20, string.Join(", ", found));
        string[] missing = [.. found.Except([.. about, .. Public, .. Hidden.Keys])];
        Assert.True(
            missing.Length == 0,
            $"A member may name {string.Join(", ", missing)}, and no test says what may be named: add it to {nameof(Hidden)} or {nameof(Public)} here, "
            + $"or as what the function is about to {nameof(AccessTable)}.");
        Assert.Empty(Public.Concat(Hidden.Keys).Except(found));
    }

    [Theory]
    [MemberData(nameof(HiddenNames))]
    public async Task What_a_member_may_not_name_is_answered_as_nothing_and_changes_nothing(string name)
    {
        (string function, string member) = (name.Split('.')[0], name.Split('.')[1]);
        Guarded guarded = AccessTable.Of(function);
        string hidden = Hidden[name](premises);
        string before = await premises.StateAsync();
        Client[] callers = [.. premises.Clients.Where(c => guarded.Reach == Reach.Anyone || c.Person is not null)];

        Assert.NotEmpty(callers);
        foreach (Client client in callers)
        {
            Seen seen = await NameAsync(guarded, client, member, hidden);
            Seen nothing = await NameAsync(guarded, client, member, Premises.NothingLike(hidden));

            Assert.Contains((seen.Status, seen.Code!), Refusals);
            Assert.Equal(nothing.Text, seen.Text);
        }

        Assert.Equal(before, await premises.StateAsync());
    }

    [Fact]
    public void Every_switch_that_a_member_may_send_is_for_all_or_for_staff()
    {
        string[] found =
        [
            .. from entry in premises.Catalog.Entries
               where entry.Allow?.Roles.Contains(Role.Member) == true && entry.Operation?.Body is not null
               from property in entry.Operation!.Body!.GetProperties()
               where (Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType) == typeof(bool)
               select $"{entry.Name}.{JsonNamingPolicy.CamelCase.ConvertName(property.Name)}",
        ];

        Assert.Equal(ForAll.Concat(ForStaff).Order(StringComparer.Ordinal), found.Order(StringComparer.Ordinal));
    }

    /// <summary>On their own thing: 403. On others': as on nothing.</summary>
    [Theory]
    [MemberData(nameof(ForStaffNames))]
    public async Task What_staff_say_is_refused_to_members_and_changes_nothing(string name)
    {
        (string function, string member) = (name.Split('.')[0], name.Split('.')[1]);
        Guarded guarded = AccessTable.Of(function);
        string before = await premises.StateAsync();
        foreach (Client client in premises.Clients.Where(c => c.Person is not null))
        {
            string own = guarded.Thing!(premises, client.Person!);
            Seen seen = await SayAsync(client, own);
            Seen nothing = await SayAsync(client, Premises.NothingLike(own));

            Assert.Equal((403, ErrorCodes.Forbidden), (seen.Status, seen.Code));
            foreach (Person other in premises.People.Where(p => p != client.Person))
            {
                Assert.Equal(nothing.Text, (await SayAsync(client, guarded.Thing(premises, other))).Text);
            }
        }

        Assert.Equal(before, await premises.StateAsync());

        Task<Seen> SayAsync(Client client, string thing) =>
            guarded.SendAsync(premises, client, thing, body: guarded.Body!(premises, thing).With(member, true));
    }

    /// <summary>The function's own request about what is the caller's, but for one member.</summary>
    private Task<Seen> NameAsync(Guarded guarded, Client client, string member, string id)
    {
        string? thing = client.Person is { } self ? guarded.Thing?.Invoke(premises, self) : null;
        return guarded.Body is { } body
            ? guarded.SendAsync(premises, client, thing, body: body(premises, thing).With(member, id))
            : guarded.SendAsync(premises, client, thing, query: $"{member}={id}{(member == "resourceId" ? "&from=2025-02-01&to=2025-02-02" : string.Empty)}");
    }

    /// <summary>The id in body or query that the function is about, found by the place where the table's request has it.</summary>
    private string? AboutIn(Guarded guarded)
    {
        FunctionEntry entry = premises.Catalog.Find(guarded.Function)!;
        if (guarded.Thing is null || guarded.IsInPath(entry))
        {
            return null;
        }

        string id = guarded.Thing(premises, premises.Ada);
        return guarded.Query is { } query
            ? $"{guarded.Function}.{query(id).Split('&').Single(p => p.EndsWith("=" + id, StringComparison.Ordinal)).Split('=')[0]}"
            : $"{guarded.Function}.{guarded.Body!(premises, id).Single(m => m.Value is JsonValue value && value.ToString() == id).Key}";
    }

    private static IEnumerable<string> IdsIn(Type type, string at)
    {
        foreach (PropertyInfo property in type.GetProperties().Where(p => p.CanRead && p.GetIndexParameters().Length == 0))
        {
            string name = at + JsonNamingPolicy.CamelCase.ConvertName(property.Name);
            Type plain = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
            if (plain != typeof(string) && plain.IsAssignableTo(typeof(IEnumerable)) && plain.IsGenericType)
            {
                plain = plain.GetGenericArguments()[0];
            }

            if (plain.GetInterfaces().Any(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IEntityId<>)))
            {
                yield return name;
            }
            else if (plain.Namespace!.StartsWith("Flex.", StringComparison.Ordinal) && plain is { IsEnum: false, IsClass: true })
            {
                foreach (string deeper in IdsIn(plain, name + "."))
                {
                    yield return deeper;
                }
            }
        }
    }
}
