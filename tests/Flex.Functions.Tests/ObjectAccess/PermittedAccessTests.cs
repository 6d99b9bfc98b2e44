using Flex.Platform.Http;
using Flex.Platform.Identity;
using Xunit;

namespace Flex.Functions.Tests.ObjectAccess;

/// <summary>
/// The table is complete, and its requests succeed where they may: so what <see cref="RefusedAccessTests"/> see refused is refused for who
/// asks and for what, and for nothing else.
/// </summary>
public sealed class PermittedAccessTests(Premises premises) : IClassFixture<Premises>
{
    [Fact]
    public void Every_HTTP_function_says_in_the_table_what_it_is_about_and_who_reaches_that()
    {
        string[] functions = [.. premises.Catalog.Entries.Select(e => e.Name)];
        string[] missing = [.. functions.Except(AccessTable.All.Select(g => g.Function))];
        string[] gone = [.. AccessTable.All.Select(g => g.Function).Except(functions)];

        Assert.True(functions.Length > 90);
        Assert.True(
            missing.Length == 0,
            $"""
            Nobody says who reaches what {string.Join(", ", missing)} is about. For each, add a row to {nameof(AccessTable)}.{nameof(AccessTable.All)}, e.g.
                new("Exports_Get", {nameof(Reach)}.{nameof(Reach.Owner)}, (w, _) => w.Export),
            with the {nameof(Reach)}, the thing it is about as every person of {nameof(Premises)} has one (none: leave it out), and what a request
            that succeeds needs: {nameof(Guarded.Body)}, {nameof(Guarded.Query)}, {nameof(Guarded.Part)}; {nameof(Guarded.Hidden)} where members are
            not shown all things of the kind. A new kind of thing is made in {nameof(Premises)}. All tests here then hold the function to that.
            """);
        Assert.True(gone.Length == 0, $"There is no HTTP function {string.Join(", ", gone)} any more: take the row out of {nameof(AccessTable)}.");
        Assert.Equal(AccessTable.All.Count, AccessTable.All.DistinctBy(g => g.Function).Count());
    }

    [Fact]
    public void The_table_says_what_the_functions_declare()
    {
        Assert.All(AccessTable.All, g =>
        {
            FunctionEntry entry = premises.Catalog.Find(g.Function)!;
            Role[]? roles = g.Reach switch
            {
                Reach.Anyone => null,
                Reach.AnyRole or Reach.Member or Reach.Customer => [Role.Staff, Role.Member],
                Reach.Staff => [Role.Staff],
                _ => [Role.Owner],
            };
            Assert.Equal(roles, entry.Allow?.Roles);
        });
    }

    [Fact]
    public async Task Whoever_reaches_a_thing_is_served_and_told_of_nobody_else()
    {
        var wrong = new List<string>();
        int calls = 0;
        foreach (Guarded guarded in AccessTable.All)
        {
            foreach ((Client client, Person of) in Permitted(guarded))
            {
                Seen seen = await guarded.SendAsync(premises, client, guarded.Thing?.Invoke(premises, of), guarded.Part?.Invoke(of));
                calls++;
                if (guarded.Success is { } status ? seen.Status != status : !seen.IsSuccess)
                {
                    wrong.Add($"{guarded}: {client} on what is {of.Name}'s is refused: {seen.Text}");
                }

                wrong.AddRange(ToldOf(guarded, client, seen));
            }
        }

        Assert.True(wrong.Count == 0, $"{wrong.Count}:\n{string.Join("\n", wrong.Take(10))}");
        Assert.True(calls > 300, $"{calls} calls");
    }

    /// <summary>Without a filter a list is the caller's own.</summary>
    [Theory]
    [InlineData("Bookings_List")]
    [InlineData("RecurringBookings_List")]
    [InlineData("Invoices_List")]
    public async Task A_list_without_a_filter_is_the_members_own(string function)
    {
        Guarded list = AccessTable.Of(function);
        foreach (Client client in premises.Clients.Where(c => c.Person is not null))
        {
            Seen seen = await list.SendAsync(premises, client, thing: null);

            Assert.True(seen.IsSuccess, seen.Text);
            Assert.NotEmpty(seen.Json["results"]!.AsArray());
            Assert.Empty(ToldOf(list, client, seen));
        }
    }

    /// <summary>Each person's thing is asked for by one only, because some are used up; what is only read, by everyone.</summary>
    private IEnumerable<(Client Client, Person Of)> Permitted(Guarded guarded)
    {
        bool isRead = premises.Catalog.Find(guarded.Function)!.Methods is ["GET"];
        foreach (Client client in premises.Clients)
        {
            switch (guarded.Reach)
            {
                case Reach.Anyone:
                    yield return (client, premises.Cleo);
                    break;
                case Reach.AnyRole when client.Role is not null:
                    yield return (client, client.Person ?? premises.Cleo);
                    break;
                case Reach.Member or Reach.Customer or Reach.Staff when client.Role == Role.Staff:
                    yield return (client, guarded.Reach == Reach.Customer ? premises.Cleo : premises.Ben);
                    break;
                case Reach.Member or Reach.Customer or Reach.Staff or Reach.Owner when client.Role == Role.Owner:
                    yield return (client, guarded.Reach == Reach.Customer ? premises.Ada : premises.Cleo);
                    break;
                case Reach.Member when client.Person is { } self && (isRead || client.Name == premises.Ada.Name):
                    yield return (client, self);
                    break;
                case Reach.Customer when client.Person is { } self && (isRead || client.Name == premises.Ada.Name):
                    yield return (client, self == premises.Ada ? premises.Ben : self);
                    break;
            }
        }
    }

    /// <summary>What a member or a stranger is told of others; the members of a customer share what is the customer's.</summary>
    private IEnumerable<string> ToldOf(Guarded guarded, Client client, Seen seen)
    {
        if (client.IsStaff || guarded is { Reach: Reach.Anyone, Thing: not null })
        {
            return [];
        }

        return from other in premises.People
               where other != client.Person
               let isColleague = other.Customer == client.Person?.Customer
               from secret in (isColleague, guarded.Reach) switch
               {
                   (false, _) => other.Secrets.Concat(other.SecretsOfCustomer),
                   (true, Reach.Customer) => [],
                   (true, _) => other.Secrets,
               }
               where seen.Text.Contains(secret, StringComparison.Ordinal)
               select $"{guarded}: {client} is told {other.Name}'s {secret}: {seen.Text}";
    }
}
