using System.Text.Json.Nodes;
using Flex.Functions.Tests.Bookings;
using Flex.Functions.Tests.Platform.Http;
using Flex.Kernel;
using Flex.Platform.Tables;
using Flex.Settings;
using Xunit;

namespace Flex.Functions.Tests.Settings;

public sealed class OperatorTests : IDisposable
{
    private readonly Spaces _spaces = new();

    public void Dispose() => _spaces.Dispose();

    [Fact]
    public async Task Before_anything_is_saved_the_initial_settings_are_read()
    {
        Answer answer = await _spaces.SendAsync("Operator_Get");

        Assert.Equal((200, "\"0\""), (answer.Status, answer.Headers.ETag.ToString()));
        Assert.Equal("onboarding", (string?)answer.Json["accountStatus"]);
        Assert.False((bool)answer.Json["salto"]!["unsubscribeWhenAllRevoked"]!);
    }

    [Fact]
    public async Task An_edit_is_read_back_with_a_new_version()
    {
        Answer saved = await EditAsync(b => b["name"] = "Flexhaus", "\"0\"");
        Answer read = await _spaces.SendAsync("Operator_Get");

        Assert.Equal((200, "\"1\""), (saved.Status, saved.Headers.ETag.ToString()));
        Assert.Equal(saved.Body, read.Body);
        Assert.Equal("Flexhaus", (string?)read.Json["name"]);
        Assert.Equal("Flexhaus", (await _spaces.Get<SettingsStore>().GetOperatorAsync(Spaces.Cancellation)).Name);
    }

    [Theory, Trait("Rule", "INV-2"), Trait("Rule", "SET-1")]
    [InlineData(AccountStatus.Onboarding, false)]
    [InlineData(AccountStatus.Active, true)]
    [InlineData(AccountStatus.Suspended, false)]
    public void The_automatic_bill_run_needs_an_active_account(AccountStatus status, bool allowed)
    {
        OperatorSettings current = OperatorSettings.Initial with { AccountStatus = status };

        Result<OperatorSettings> edited = OperatorRules.Edit(current, current with { AutomaticBillRun = true });

        Assert.Equal(allowed ? null : ErrorCodes.AccountNotActive, edited.Error?.Code);
    }

    [Fact, Trait("Rule", "INV-2")]
    public async Task Enabling_the_bill_run_while_onboarding_is_409_and_changes_nothing()
    {
        Answer refused = await EditAsync(b => b["automaticBillRun"] = true, "\"0\"");
        Assert.Equal((409, ErrorCodes.AccountNotActive), (refused.Status, refused.Code));
        Assert.Empty(_spaces.Tables.Snapshot(SettingsStore.Table, SettingsStore.Partition));

        Answer active = await _spaces.SendAsync("Operator_Activate", caller: "owner");
        Answer enabled = await EditAsync(b => b["automaticBillRun"] = true, active.Headers.ETag!);

        Assert.Equal(200, enabled.Status);
        Assert.True((await _spaces.Get<SettingsStore>().GetOperatorAsync(Spaces.Cancellation)).AutomaticBillRun);
    }

    [Fact]
    public async Task Suspending_switches_the_bill_run_off()
    {
        Answer active = await _spaces.SendAsync("Operator_Activate", caller: "owner");
        await EditAsync(b => b["automaticBillRun"] = true, active.Headers.ETag!);

        Answer suspended = await _spaces.SendAsync("Operator_Suspend", caller: "owner");

        Assert.Equal("suspended", (string?)suspended.Json["accountStatus"]);
        Assert.False((bool)suspended.Json["automaticBillRun"]!);
    }

    [Theory, Trait("Rule", "SET-1")]
    [InlineData(AccountStatus.Onboarding, AccountStatus.Active, null)]
    [InlineData(AccountStatus.Active, null, AccountStatus.Suspended)]
    [InlineData(AccountStatus.Suspended, AccountStatus.Active, null)]
    public void The_account_goes_from_onboarding_to_active_and_to_suspended_and_back(AccountStatus from, AccountStatus? activated, AccountStatus? suspended)
    {
        OperatorSettings current = OperatorSettings.Initial with { AccountStatus = from };

        Assert.Equal(activated, StatusOf(OperatorRules.Activate(current)));
        Assert.Equal(suspended, StatusOf(OperatorRules.Suspend(current)));
    }

    [Fact]
    public async Task An_illegal_transition_names_the_state_and_what_is_allowed()
    {
        Answer answer = await _spaces.SendAsync("Operator_Suspend", caller: "owner");

        Assert.Equal((409, ErrorCodes.InvalidTransition), (answer.Status, answer.Code));
        Assert.Equal("activate", (string?)answer.Json["allowed"]![0]);
    }

    [Fact]
    public async Task A_missing_and_a_stale_if_match_are_refused_and_change_nothing()
    {
        await EditAsync(b => b["name"] = "One", "\"0\"");
        IReadOnlyList<TableRow> before = _spaces.Tables.Snapshot(SettingsStore.Table, SettingsStore.Partition);

        Answer missing = await EditAsync(b => b["name"] = "Two", null);
        Answer stale = await EditAsync(b => b["name"] = "Two", "\"0\"");

        Assert.Equal((400, ErrorCodes.IfMatchRequired), (missing.Status, missing.Code));
        Assert.Equal((412, ErrorCodes.Stale), (stale.Status, stale.Code));
        Assert.Equal(before, _spaces.Tables.Snapshot(SettingsStore.Table, SettingsStore.Partition));
    }

    [Fact]
    public async Task Of_two_edits_of_the_same_version_one_wins()
    {
        await EditAsync(b => b["name"] = "One", "\"0\"");
        int rivals = 0;
        _spaces.Tables.BeforeCommit = async _ =>
        {
            if (rivals++ == 0)
            {
                Assert.Equal(200, (await EditAsync(b => b["name"] = "Rival", "\"1\"")).Status);
            }
        };

        Answer late = await EditAsync(b => b["name"] = "Late", "\"1\"");

        Assert.Equal((412, ErrorCodes.Stale), (late.Status, late.Code));
        Assert.Equal("Rival", (await _spaces.Get<SettingsStore>().GetOperatorAsync(Spaces.Cancellation)).Name);
    }

    [Theory]
    [InlineData("name", "\"\"", "/name")]
    [InlineData("name", "\" padded\"", "/name")]
    [InlineData("invoiceDueDays", "91", "/invoiceDueDays")]
    [InlineData("invoiceDueDays", "-1", "/invoiceDueDays")]
    [InlineData("salto", """{"unsubscribeWhenAllRevoked":false,"siteId":null,"groups":[""]}""", "/salto/groups/0")]
    public async Task A_value_out_of_range_is_422(string member, string value, string pointer)
    {
        Answer answer = await EditAsync(b => b[member] = JsonNode.Parse(value), "\"0\"");

        Assert.Equal((422, ErrorCodes.InvalidValue, pointer), (answer.Status, answer.Code, answer.Pointer));
    }

    [Fact]
    public async Task An_unknown_tax_rate_is_422()
    {
        Answer answer = await EditAsync(b => b["defaultTaxRateId"] = EntityId.Derive<TaxRateId>("none").Value, "\"0\"");

        Assert.Equal((422, ErrorCodes.UnknownReference, "/defaultTaxRateId"), (answer.Status, answer.Code, answer.Pointer));
    }

    [Fact]
    public async Task Members_reach_none_of_it_and_staff_cannot_activate()
    {
        string member = Spaces.As(EntityId.Derive<MemberId>("m"));

        Assert.Equal(403, (await _spaces.SendAsync("Operator_Get", caller: member)).Status);
        Assert.Equal(403, (await _spaces.SendAsync("Operator_Activate", caller: member)).Status);
        Assert.Equal(403, (await _spaces.SendAsync("Operator_Activate", caller: "staff")).Status);
    }

    private static AccountStatus? StatusOf(Result<OperatorSettings> result) => result.IsError ? null : result.Value.AccountStatus;

    private async Task<Answer> EditAsync(Action<JsonNode> change, string? ifMatch)
    {
        JsonNode body = (await _spaces.SendAsync("Operator_Get")).Json;
        body.AsObject().Remove("version");
        body.AsObject().Remove("accountStatus");
        change(body);
        return await _spaces.SendAsync("Operator_Edit", body.ToJsonString(), headers: ifMatch is null ? [] : [("If-Match", ifMatch)]);
    }
}
