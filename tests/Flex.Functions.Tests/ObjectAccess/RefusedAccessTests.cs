using Flex.Kernel;
using Flex.Platform.Http;
using Flex.Platform.Identity;
using Xunit;

namespace Flex.Functions.Tests.ObjectAccess;

/// <summary>
/// Every function, every kind of caller, every thing they could name. Who may not is told so by rule: 401 without a token that Flex
/// accepts; 403 in a role that may not, whatever is named; and what a caller does not reach is answered, in every header and every letter,
/// as what does not exist. No refused request changes, sends or tries anything.
/// </summary>
[Collection(nameof(Premises))]
public sealed class RefusedAccessTests(Premises premises)
{
    /// <summary>What a request names.</summary>
    /// <param name="Of">Whose it is; null: nobody's.</param>
    private sealed record Named(string What, string? Thing, string? Part, Person? Of, Form Form);

    private enum Form
    {
        Something,

        /// <summary>Only staff are shown it.</summary>
        Hidden,
        Nothing,

        /// <summary>No id of this kind.</summary>
        Unreadable,
    }

    public static TheoryData<string> Functions => [.. AccessTable.All.Where(g => g.Reach != Reach.Anyone).Select(g => g.Function)];

    [Theory]
    [MemberData(nameof(Functions))]
    public async Task Whoever_does_not_reach_a_thing_learns_nothing_and_changes_nothing(string function)
    {
        Guarded guarded = AccessTable.Of(function);
        Named[] all = [.. NamedIn(guarded)];
        bool isRead = premises.Catalog.Find(function)!.Methods is ["GET"];
        (string before, string tried) = (await premises.StateAsync(), premises.Tried);
        var wrong = new List<string>();
        int calls = 0;
        foreach (Client client in premises.Clients)
        {
            var answers = new Dictionary<string, (string What, Seen Seen)>();
            foreach (Named named in all)
            {
                if (Expect(guarded, client, named) is not { } expected)
                {
                    continue;
                }

                calls++;
                Seen seen = await guarded.SendAsync(premises, client, named.Thing, named.Part);
                (string What, Seen Seen) first = answers.TryAdd(expected.Kind, (named.What, seen)) ? (named.What, seen) : answers[expected.Kind];
                if (!expected.Codes.Contains((seen.Status, seen.Code ?? string.Empty)))
                {
                    wrong.Add($"{client} on {named.What} is to be {expected.Kind}, and is answered {seen.Text}");
                }

                if (seen.Text != first.Seen.Text)
                {
                    wrong.Add($"{client} can tell {named.What} from {first.What}:\n{seen.Text}\n{first.Seen.Text}");
                }

                if (premises.Tried != tried || (!isRead && await premises.StateAsync() != before))
                {
                    wrong.Add($"{client} on {named.What} is refused and has changed or tried something.");
                    (before, tried) = (await premises.StateAsync(), premises.Tried);
                }
            }
        }

        Assert.True(wrong.Count == 0, $"{wrong.Count}:\n{string.Join("\n", wrong.Take(10))}");
        Assert.True(calls >= 7, $"{calls} calls");
        Assert.Equal(before, await premises.StateAsync());
        Assert.False(guarded.Picture is { } picture && await premises.HasPictureAsync(PictureBody.NameOf(picture)));
    }

    /// <summary>What is to be answered, all of a kind alike; null when the caller is to be served.</summary>
    private (string Kind, (int Status, string Code)[] Codes)? Expect(Guarded guarded, Client client, Named named)
    {
        bool isInPath = guarded.IsInPath(premises.Catalog.Find(guarded.Function)!);
        if (!client.IsKnown)
        {
            return ("unauthenticated", [(401, ErrorCodes.Unauthenticated)]);
        }

        bool mayTry = guarded.Reach switch
        {
            Reach.Owner => client.Role == Role.Owner,
            Reach.Staff => client.IsStaff,
            _ => client.Role is not null,
        };
        if (!mayTry)
        {
            return ("forbidden", [(403, ErrorCodes.Forbidden)]);
        }

        if (named.Form == Form.Unreadable)
        {
            return ("unreadable", isInPath ? [(404, ErrorCodes.NotFound)] : [(400, ErrorCodes.MalformedRequest)]);
        }

        bool reaches = named.Form == Form.Something && (client.IsStaff || guarded.Reach switch
        {
            Reach.Member => client.Person is { } self && self == named.Of,
            Reach.Customer => client.Person is { } self && self.Customer == named.Of!.Customer,
            _ => true,
        });
        return reaches || (named.Form == Form.Hidden && client.IsStaff) ? null
            : ("told that there is nothing", isInPath ? [(404, ErrorCodes.NotFound)] : [(404, ErrorCodes.NotFound), (422, ErrorCodes.UnknownReference)]);
    }

    private IEnumerable<Named> NamedIn(Guarded guarded)
    {
        if (guarded.Thing is not { } thingOf)
        {
            yield return new("nothing in particular", null, null, null, Form.Something);
            yield break;
        }

        foreach (Person person in premises.People)
        {
            yield return new($"what is {person.Name}'s", thingOf(premises, person), guarded.Part?.Invoke(person), person, Form.Something);
        }

        Person ada = premises.Ada;
        string thing = thingOf(premises, ada);
        string? part = guarded.Part?.Invoke(ada);
        yield return new("nothing", Premises.NothingLike(thing), part, null, Form.Nothing);
        yield return new("what is no id", "1", part, null, Form.Unreadable);
        yield return new("a way out", "../members", part, null, Form.Unreadable);
        yield return new("another kind of thing", premises.OtherKindThan(thing), part, null, Form.Unreadable);
        if (guarded.Hidden is { } hidden)
        {
            yield return new("what is hidden", hidden(premises), part, null, Form.Hidden);
        }

        if (part is null)
        {
            yield break;
        }

        yield return new("no part of it", thing, Premises.NothingLike(part), null, Form.Nothing);
        foreach (Person other in premises.People.Where(p => thingOf(premises, p) != thing))
        {
            yield return new($"{other.Name}'s part of it", thing, guarded.Part!(other), null, Form.Nothing);
        }
    }
}
