using Flex.Catalogue;
using Flex.DayPasses;
using Flex.Functions.Tests.Bookings;
using Flex.Functions.Tests.Platform.Http;
using Flex.Kernel;
using Flex.Local.Audit;
using Flex.Local.Runtime.Testing;
using Flex.Platform;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using NodaTime;
using Xunit;

namespace Flex.Functions.Tests.DayPasses;

/// <summary>Check-ins side by side, and check-ins that are cut off.</summary>
public sealed class CheckInRaceTests
{
    [Theory, Trait("Rule", "PAS-3")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Ten_check_ins_of_one_member_side_by_side_take_one_unit(bool shared)
    {
        using Spaces spaces = await Spaces.CreateAsync();
        MemberId member = await spaces.AddMemberAsync(status: null);
        await IssueAsync(spaces, member, 5, shared);

        Answer[] answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => Task.Run(() => CheckInAsync(spaces, member))));

        Assert.All(answers, a => Assert.Equal(201, a.Status));
        Assert.Single(answers.Select(a => (string?)a.Json["id"]).Distinct());
        Assert.Equal(4m, await LeftAsync(spaces, member));
        await AssertSoundAsync(spaces);
    }

    [Fact, Trait("Rule", "PAS-5")]
    public async Task Ten_members_side_by_side_take_five_units_of_a_company_pass_of_five()
    {
        using Spaces spaces = await Spaces.CreateAsync();
        MemberId[] members = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => spaces.AddMemberAsync(status: null)));
        await IssueAsync(spaces, members[0], 5, shared: true);

        Answer[] answers = await Task.WhenAll(members.Select(m => Task.Run(() => CheckInAsync(spaces, m))));

        Assert.Equal(5, answers.Count(a => a.Status == 201));
        Assert.Equal(5, answers.Count(a => a is { Status: 422, Code: ErrorCodes.NoPassesLeft }));
        Assert.Equal(0m, await LeftAsync(spaces, members[0]));
        await AssertSoundAsync(spaces);
    }

    /// <summary>One check-in is held between its decision and its commit while the same member's other one goes through.</summary>
    [Theory, Trait("Rule", "PAS-3")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_check_in_overtaken_by_the_members_other_one_is_that_one(bool shared)
    {
        using Spaces spaces = await Spaces.CreateAsync();
        MemberId member = await spaces.AddMemberAsync(status: null);
        await IssueAsync(spaces, member, 5, shared);
        Answer? rival = null;
        bool interfered = false;
        spaces.Tables.BeforeCommit = async batch =>
        {
            if (!interfered && batch.Operations.Any(o => o.Key.StartsWith(shared ? DayPassStore.HoldPrefix : DayPassStore.CheckInPrefix, StringComparison.Ordinal)))
            {
                interfered = true;
                rival = await CheckInAsync(spaces, member);
            }
        };

        Answer answer = await CheckInAsync(spaces, member);

        Assert.Equal(((string?)rival!.Json["id"], 201), ((string?)answer.Json["id"], answer.Status));
        Assert.Equal(4m, await LeftAsync(spaces, member));
        await AssertSoundAsync(spaces);
    }

    [Fact, Trait("Rule", "PAS-3")]
    public async Task Monthly_passes_are_taken_once_too()
    {
        await using FrontDesk desk = await FrontDesk.OpenAsync();
        string member = await desk.MemberAsync();
        await desk.AssignAsync(member, await desk.PlanAsync(PlanKind.Recurring, new DayPassTerms(3, null)));

        Told[] answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => desk.CheckInAsync(member)));

        Assert.All(answers, a => Assert.Equal(201, a.Status));
        Assert.Equal(2m, (await desk.PassAsync(member)).Remaining);
        await desk.AssertSoundAsync();
    }

    /// <summary>The process dies at every step of a check-in with a company's pass; the member tries again.</summary>
    [Fact, Trait("Rule", "PAS-3")]
    public async Task A_check_in_that_dies_anywhere_takes_one_unit_when_it_is_repeated()
    {
        long steps = await StepsAsync();
        for (int step = 0; step <= steps; step++)
        {
            await using FrontDesk desk = await FrontDesk.OpenAsync();
            string member = await desk.MemberAsync();
            await desk.IssueAsync(member, passes: 1, shared: true, groups: [desk.Group]);
            await DieAsync(desk, member, step);

            Told again = await desk.CheckInAsync(member);
            await desk.World.AdvanceAsync(Duration.FromMinutes(30));

            Assert.True(again.Status == 201, $"After a death at step {step}: {again.Body.ToJsonString()}");
            Assert.Equal(0m, (await desk.PassAsync(member)).Remaining);
            await desk.AssertSoundAsync();
        }
    }

    /// <summary>The same, and nobody tries again: either there is a check-in or the unit is back.</summary>
    [Fact, Trait("Rule", "PAS-3")]
    public async Task A_check_in_that_dies_anywhere_and_is_not_repeated_gives_the_unit_back()
    {
        var left = new HashSet<decimal?>();
        long steps = await StepsAsync();
        for (int step = 0; step <= steps; step++)
        {
            await using FrontDesk desk = await FrontDesk.OpenAsync();
            string member = await desk.MemberAsync();
            await desk.IssueAsync(member, passes: 1, shared: true, groups: [desk.Group]);
            await DieAsync(desk, member, step);
            await desk.AssertSoundAsync(atRest: false);

            await desk.World.AdvanceAsync(Duration.FromMinutes(30));

            Told pass = await desk.PassAsync(member);
            int present = (await desk.GetAsync($"/api/v1/check-ins?locationId={desk.Location}")).Body["results"]!.AsArray().Count;
            Assert.Equal(1m - present, pass.Remaining);
            Assert.DoesNotContain(await RowsAsync(desk.World.Tables), r => r.Key.StartsWith(DayPassStore.HoldPrefix, StringComparison.Ordinal));
            await desk.AssertSoundAsync();
            left.Add(pass.Remaining);
        }

        Assert.Equal(2, left.Count);
    }

    /// <summary>Nobody may take what is held for a request that will be repeated.</summary>
    [Fact, Trait("Rule", "PAS-3")]
    public async Task A_repeated_request_keeps_the_lease_of_its_unit_and_a_late_release_changes_nothing()
    {
        using Spaces spaces = await Spaces.CreateAsync();
        MemberId member = await spaces.AddMemberAsync(status: null);
        await IssueAsync(spaces, member, 1, shared: true);
        spaces.Tables.BeforeCommit = batch => batch.Operations.Any(o => o.Key.StartsWith(DayPassStore.CheckInPrefix, StringComparison.Ordinal))
            ? throw new TransientFaultException("storage is away")
            : Task.CompletedTask;
        Answer cut = await CheckInAsync(spaces, member);
        ReleaseSharedPass first = spaces.Queue.On<ReleaseSharedPass>(Queues.Bookings, ReleaseSharedPass.Subject).Single();
        spaces.App.Time.Advance(TimeSpan.FromMinutes(9));
        Answer cutAgain = await CheckInAsync(spaces, member);
        spaces.App.Time.Advance(TimeSpan.FromMinutes(2));
        spaces.Tables.BeforeCommit = null;

        await ReleaseAsync(spaces, first);
        decimal held = await LeftAsync(spaces, member);
        ReleaseSharedPass last = spaces.Queue.On<ReleaseSharedPass>(Queues.Bookings, ReleaseSharedPass.Subject)[^1];
        await Assert.ThrowsAsync<TransientFaultException>(() => ReleaseAsync(spaces, last));
        spaces.App.Time.Advance(TimeSpan.FromMinutes(10));
        await ReleaseAsync(spaces, last);
        await ReleaseAsync(spaces, last);

        Assert.Equal((503, 503), (cut.Status, cutAgain.Status));
        Assert.Equal((0m, 1m), (held, await LeftAsync(spaces, member)));
        await AssertSoundAsync(spaces);
    }

    /// <summary>The message of midnight is still on its way when staff look at noon; it finds nothing left to do.</summary>
    [Fact, Trait("Rule", "PAS-4")]
    public async Task Who_is_checked_out_the_day_after_had_left_at_midnight()
    {
        using Spaces spaces = await Spaces.CreateAsync();
        MemberId member = await spaces.AddMemberAsync(status: null);
        await IssueAsync(spaces, member, 1, shared: false);
        string id = (string)(await CheckInAsync(spaces, member)).Json["id"]!;
        spaces.App.Time.Advance(TimeSpan.FromHours(17));

        Answer left = await spaces.SendAsync("CheckIns_CheckOut", id: id);
        await spaces.DrainAsync(Queues.Bookings);
        Answer later = await spaces.SendAsync("CheckIns_Get", id: id);

        Assert.Equal(("2025-01-01T05:00:00Z", "auto"), ((string?)left.Json["leftAt"], (string?)left.Json["leftBy"]));
        Assert.Equal(left.Body, later.Body);
    }

    /// <summary>The broker's clock may run ahead of ours: the message comes again.</summary>
    [Fact, Trait("Rule", "PAS-4")]
    public async Task A_message_of_midnight_that_comes_before_it_is_not_taken()
    {
        using Spaces spaces = await Spaces.CreateAsync();
        MemberId member = await spaces.AddMemberAsync(status: null);
        await IssueAsync(spaces, member, 1, shared: false);
        string id = (string)(await CheckInAsync(spaces, member)).Json["id"]!;

        await Assert.ThrowsAsync<TransientFaultException>(() => spaces.DrainAsync(Queues.Bookings));

        Assert.Null((string?)(await spaces.SendAsync("CheckIns_Get", id: id)).Json["leftAt"]);
    }

    [Fact]
    public async Task A_check_in_with_a_personal_pass_is_six_storage_calls_and_coming_back_three()
    {
        using Spaces spaces = await Spaces.CreateAsync();
        MemberId member = await spaces.AddMemberAsync(status: null);
        await IssueAsync(spaces, member, 1, shared: false);

        long before = spaces.Tables.Calls;
        string id = (string)(await CheckInAsync(spaces, member)).Json["id"]!;
        long first = spaces.Tables.Calls - before;
        await spaces.SendAsync("CheckIns_CheckOut", id: id);
        before = spaces.Tables.Calls;
        await CheckInAsync(spaces, member);

        Assert.Equal((6, 3), (first, spaces.Tables.Calls - before));
    }

    [Fact]
    public async Task The_audit_sees_a_unit_that_nobody_took_and_one_too_many()
    {
        using Spaces spaces = await Spaces.CreateAsync();
        MemberId member = await spaces.AddMemberAsync(status: null);
        DayPassId id = await IssueAsync(spaces, member, 1, shared: false);
        await CheckInAsync(spaces, member);
        Stored<DayPass> pass = (await spaces.Get<DayPassStore>().FindPassAsync(id, Spaces.Cancellation))!;
        TableBatch batch = DayPassStore.BatchFor(member).Replace(DayPassStore.PassPrefix + id, pass.Value with { UsedHalves = 3 }, pass.ETag);
        (await spaces.Tables.CommitAsync(batch, Spaces.Cancellation)).Require();

        AuditReport report = await new StoreAudit(spaces.Tables, null, null).RunAsync(spaces.Now, atRest: false, Spaces.Cancellation);

        Assert.Equal("day pass", Assert.Single(report.Findings).Rule);
    }

    private static Task<Answer> CheckInAsync(Spaces spaces, MemberId member) =>
        spaces.SendAsync("CheckIns_Create", new { locationId = spaces.Location.Value, memberId = member.Value });

    private static async Task<DayPassId> IssueAsync(Spaces spaces, MemberId member, int passes, bool shared)
    {
        Answer answer = await spaces.SendAsync("DayPasses_Issue", new { locationId = spaces.Location.Value, passes, shared }, id: member.Value);
        Assert.Equal(201, answer.Status);
        return EntityId.Parse<DayPassId>((string)answer.Json["id"]!);
    }

    private static async Task<decimal> LeftAsync(Spaces spaces, MemberId member) =>
        (decimal)(await spaces.SendAsync("DayPasses_List", id: member.Value)).Json["results"]![0]!["remaining"]!;

    private static Task ReleaseAsync(Spaces spaces, ReleaseSharedPass command) => spaces.DeliverAsync(
        Queues.Bookings,
        new("release", ReleaseSharedPass.Subject, StorageJson.Write(command), null));

    private static async Task AssertSoundAsync(Spaces spaces) =>
        Assert.Empty((await new StoreAudit(spaces.Tables, null, null).RunAsync(spaces.Now, atRest: false, Spaces.Cancellation)).Findings);

    /// <summary>How many steps a check-in with a company's pass has.</summary>
    private static async Task<long> StepsAsync()
    {
        await using FrontDesk desk = await FrontDesk.OpenAsync();
        string member = await desk.MemberAsync();
        await desk.IssueAsync(member, passes: 1, shared: true, groups: [desk.Group]);
        long before = desk.World.Crash.Steps;
        await desk.CheckInAsync(member);
        return desk.World.Crash.Steps - before;
    }

    private static async Task DieAsync(FrontDesk desk, string member, int step)
    {
        desk.World.Crash.Arm(step);
        try
        {
            await desk.CheckInAsync(member);
        }
        catch (Exception) when (desk.World.Crash.IsTripped)
        {
            // The client sees its connection break.
        }

        await desk.World.CrashAsync();
    }

    private static async Task<List<TableRow>> RowsAsync(Flex.Local.Runtime.Storage.MemoryTableStore tables)
    {
        var rows = new List<TableRow>();
        await foreach (TableRow row in tables.ScanAsync(DayPassStore.Table, CancellationToken.None))
        {
            rows.Add(row);
        }

        return rows;
    }
}
