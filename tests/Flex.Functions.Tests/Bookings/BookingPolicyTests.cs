using System.Text.Json.Nodes;
using Flex.Bookings;
using Flex.Catalogue;
using Flex.Functions.Tests.Platform.Http;
using Flex.Kernel;
using Flex.Settings;
using NodaTime;
using Xunit;

namespace Flex.Functions.Tests.Bookings;

/// <summary>Under which conditions a resource is booked. It is Wednesday, 1 January 2025, 00:00Z; the rooms are in New York.</summary>
public sealed class BookingPolicyTests : IAsyncLifetime
{
    private Spaces _spaces = null!;
    private string _self = null!;

    public async ValueTask InitializeAsync()
    {
        _spaces = await Spaces.CreateAsync();
        _self = Spaces.As(_spaces.Member);
    }

    public ValueTask DisposeAsync()
    {
        _spaces.Dispose();
        return ValueTask.CompletedTask;
    }

    public static TheoryData<string, BookingTerms, string, string, string, string> Policies => new()
    {
        { "minMinutes", BookingTerms.None with { MinMinutes = 60 }, "2025-01-10T15:00:00Z", "2025-01-10T16:00:00Z", "2025-01-10T17:00:00Z", "2025-01-10T17:55:00Z" },
        { "maxMinutes", BookingTerms.None with { MaxMinutes = 60 }, "2025-01-10T15:00:00Z", "2025-01-10T16:00:00Z", "2025-01-10T17:00:00Z", "2025-01-10T18:05:00Z" },
        { "leadMinutes", BookingTerms.None with { LeadMinutes = 120 }, "2025-01-01T02:00:00Z", "2025-01-01T03:00:00Z", "2025-01-01T01:55:00Z", "2025-01-01T02:00:00Z" },
        { "maxAheadDays", BookingTerms.None with { MaxAheadDays = 7 }, "2025-01-08T00:00:00Z", "2025-01-08T00:05:00Z", "2025-01-08T00:05:00Z", "2025-01-08T00:10:00Z" },
        {
            "onlyWithinOpeningHours", BookingTerms.None with { OnlyWithinOpeningHours = true },
            "2025-01-10T14:00:00Z", "2025-01-10T23:00:00Z", "2025-01-09T22:00:00Z", "2025-01-09T23:05:00Z"
        },
    };

    [Theory, Trait("Rule", "BKG-4")]
    [MemberData(nameof(Policies))]
    public async Task What_the_policy_allows_is_booked_and_five_minutes_beyond_it_is_not_unless_staff_set_it_aside(
        string rule, BookingTerms terms, string start, string end, string otherStart, string otherEnd)
    {
        ResourceId room = await _spaces.AddRoomAsync(terms);

        Answer allowed = await _spaces.BookAsync(start, end, _self, room: room);
        Answer refused = await _spaces.BookAsync(otherStart, otherEnd, _self, room: room);
        Answer byStaff = await _spaces.BookAsync(otherStart, otherEnd, room: room);
        Answer setAside = await SetAsideAsync(otherStart, otherEnd, room, "staff");

        Assert.Equal((201, 422, 422, 201), (allowed.Status, refused.Status, byStaff.Status, setAside.Status));
        Assert.Equal(ErrorCodes.BookingPolicy, refused.Code);
        JsonNode note = Assert.Single(setAside.Json["overrides"]!.AsArray())!;
        Assert.Equal((rule, "staff-1"), ((string?)note["rule"], (string?)note["by"]));
    }

    [Fact, Trait("Rule", "BKG-4")]
    public async Task Members_cannot_set_a_policy_aside()
    {
        ResourceId room = await _spaces.AddRoomAsync(BookingTerms.None with { MinMinutes = 60 });

        Answer answer = await SetAsideAsync("2025-01-10T15:00:00Z", "2025-01-10T15:30:00Z", room, _self);

        Assert.Equal((403, ErrorCodes.Forbidden), (answer.Status, answer.Code));
    }

    [Fact, Trait("Rule", "BKG-2"), Trait("Rule", "BKG-4")]
    public async Task Minutes_kept_free_around_a_booking_count_against_its_neighbours()
    {
        ResourceId room = await _spaces.AddRoomAsync(BookingTerms.None with { BufferBeforeMinutes = 10, BufferAfterMinutes = 15 });
        await _spaces.BookedAsync("2025-01-10T15:00:00Z", "2025-01-10T16:00:00Z", room);

        Answer tooSoon = await _spaces.BookAsync("2025-01-10T16:20:00Z", "2025-01-10T17:00:00Z", room: room);
        Answer after = await _spaces.BookAsync("2025-01-10T16:25:00Z", "2025-01-10T17:00:00Z", room: room);

        Assert.Equal((409, ErrorCodes.BookingConflict), (tooSoon.Status, tooSoon.Code));
        Assert.Equal(201, after.Status);
    }

    [Fact, Trait("Rule", "BKG-15")]
    public async Task A_resource_is_for_the_plans_and_members_it_names()
    {
        PlanId other = await _spaces.AddPlanAsync();
        MemberId guest = await _spaces.AddMemberAsync();
        BookingTerms TermsOf(PlanId[] plans, MemberId[] members) => BookingTerms.None with { AllowedPlanIds = plans, AllowedMemberIds = members };

        Assert.Equal(201, await BookAsync(TermsOf([_spaces.Plan], []), _spaces.Member));
        Assert.Equal(409, await BookAsync(TermsOf([other], []), _spaces.Member));
        Assert.Equal(201, await BookAsync(TermsOf([other], [_spaces.Member]), _spaces.Member));
        Assert.Equal(409, await BookAsync(TermsOf([], [_spaces.Member]), guest));
    }

    [Fact, Trait("Rule", "BKG-15")]
    public async Task What_only_staff_book_members_cannot()
    {
        ResourceId room = await _spaces.AddRoomAsync(BookingTerms.None with { Audience = BookingAudience.Staff });

        Answer member = await _spaces.BookAsync("2025-01-10T15:00:00Z", "2025-01-10T16:00:00Z", _self, room: room);

        Assert.Equal((409, ErrorCodes.ResourceNotAllowed), (member.Status, member.Code));
    }

    private async Task<int> BookAsync(BookingTerms terms, MemberId member)
    {
        ResourceId room = await _spaces.AddRoomAsync(terms);
        Answer answer = await _spaces.BookAsync("2025-01-10T15:00:00Z", "2025-01-10T16:00:00Z", Spaces.As(member), member, room);
        Assert.True(answer.Status == 201 || answer.Code == ErrorCodes.ResourceNotAllowed, answer.Body);
        return answer.Status;
    }

    private Task<Answer> SetAsideAsync(string start, string end, ResourceId room, string caller) => _spaces.SendAsync(
        "Bookings_Create",
        new { resourceId = room.Value, start, end, memberId = _spaces.Member.Value, overridePolicy = true },
        caller);
}
