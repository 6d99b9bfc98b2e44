using Flex.Functions.Tests.Platform.Telemetry;
using Flex.Kernel;
using Flex.Local.Runtime.Testing;
using Flex.Memberships;
using Flex.Payments;
using Flex.Platform.Tables;
using Flex.Renewals;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using NodaTime;
using Xunit;

namespace Flex.Functions.Tests.Renewals;

/// <summary>What operations sees of the renewals.</summary>
public sealed class RenewalMetricTests
{
    [Fact]
    public async Task The_ladder_shows_rung_by_rung_what_was_begun_refused_and_paid()
    {
        await using RenewalWorld world = await RenewalWorld.StartAsync();
        using var metrics = new MetricRecorder();
        await world.SignUpAsync("pm_card_visa");
        await world.AttachAsync("pm_card_chargeCustomerFail");
        await world.AdvanceToLocalAsync(new LocalDate(2025, 2, 3));
        await world.AttachAsync("pm_card_visa");
        await world.AdvanceToLocalAsync(new LocalDate(2025, 2, 4));
        await world.AttachAsync("pm_card_chargeCustomerFail");

        await world.AdvanceToLocalAsync(new LocalDate(2025, 3, 12));

        Assert.Equal(
            [
                "1 rung=1,state=Begun", "1 rung=1,state=Failed", "1 rung=2,state=Begun", "1 rung=2,state=Failed", "1 rung=0,state=Begun", "1 rung=0,state=Succeeded",
                "1 rung=1,state=Begun", "1 rung=1,state=Failed", "1 rung=2,state=Begun", "1 rung=2,state=Failed",
                "1 rung=3,state=Begun", "1 rung=3,state=Failed", "1 rung=4,state=Begun", "1 rung=4,state=Failed",
            ],
            metrics.Of("flex.renewal.attempts"));
        Assert.Equal(["1"], metrics.Of("flex.renewal.downgrades"));
        Assert.Empty(metrics.Of("flex.renewal.orchestrations.failed"));
    }

    [Fact]
    public async Task A_renewal_nobody_has_answered_is_unfinished_from_an_hour_after_its_day_until_it_is()
    {
        var billing = new Switch();
        await using RenewalWorld world = await StartAsync(billing);
        await world.SignUpAsync("pm_card_visa");
        billing.IsDown = true;
        using var metrics = new MetricRecorder();

        await world.AdvanceToLocalAsync(new LocalDate(2025, 2, 2));
        await world.World.AdvanceAsync(Duration.FromMinutes(59));
        Assert.Equal([0], metrics.Values("flex.renewal.unfinished").Distinct());
        await world.World.AdvanceAsync(Duration.FromMinutes(1));
        Assert.Equal(1, metrics.Values("flex.renewal.unfinished")[^1]);
        billing.IsDown = false;
        await world.World.AdvanceAsync(Duration.FromHours(2));

        Assert.Equal(0, metrics.Values("flex.renewal.unfinished")[^1]);
    }

    [Theory]
    [InlineData("pm_card_chargeCustomerFail")]
    [InlineData("pm_usBankAccount_success")]
    public async Task A_refusal_and_a_debit_under_way_are_answers(string method)
    {
        await using RenewalWorld world = await RenewalWorld.StartAsync();
        await world.SignUpAsync("pm_card_visa");
        await world.AttachAsync(method);
        using var metrics = new MetricRecorder();

        await world.AdvanceToLocalAsync(new LocalDate(2025, 2, 3));

        Assert.Contains(metrics.Of("flex.renewal.attempts"), m => m.EndsWith("state=Failed", StringComparison.Ordinal) || m.EndsWith("state=Processing", StringComparison.Ordinal));
        Assert.True(metrics.Values("flex.renewal.unfinished").Count > 24 * 20);
        Assert.All(metrics.Values("flex.renewal.unfinished"), value => Assert.Equal(0, value));
        await world.AssertSoundAsync();
    }

    [Fact]
    public async Task Reporting_what_is_unfinished_costs_no_storage_call_of_its_own() =>
        Assert.Equal(await HourlyCallsAsync(1), await HourlyCallsAsync(999));

    private static async Task<int> HourlyCallsAsync(int unfinished)
    {
        await using RenewalWorld world = await RenewalWorld.StartAsync();
        await world.AddDueAsync(unfinished, new LocalDate(2024, 12, 31));
        using var metrics = new MetricRecorder();

        await world.World.AdvanceAsync(Duration.FromHours(1));

        Assert.Equal([unfinished], metrics.Values("flex.renewal.unfinished"));
        int calls = metrics.Of("flex.storage.calls").Count(c => c.Contains("action=Renewals_Hourly", StringComparison.Ordinal));
        Assert.True(calls > 0);
        return calls;
    }

    [Fact]
    public async Task An_orchestration_that_fails_is_counted_once_by_its_name()
    {
        var billing = new Switch();
        await using RenewalWorld world = await StartAsync(billing);
        await world.SignUpAsync("pm_card_visa");
        billing.Defect = new DefectException("broken");
        using var metrics = new MetricRecorder();

        await world.AdvanceToLocalAsync(new LocalDate(2025, 2, 2));

        Assert.Equal(["1 orchestration=Renewal_v1"], metrics.Of("flex.renewal.orchestrations.failed").Distinct());
    }

    private static Task<RenewalWorld> StartAsync(Switch billing) => RenewalWorld.StartAsync(new FlexWorldOptions
    {
        Start = Instant.FromUtc(2025, 1, 1, 15, 0),
        Services = services =>
        {
            ServiceDescriptor real = services.Last(s => s.ServiceType == typeof(IMembershipBilling));
            services.Replace(ServiceDescriptor.Singleton<IMembershipBilling>(provider =>
                billing.Around((IMembershipBilling)ActivatorUtilities.CreateInstance(provider, real.ImplementationType!))));
        },
    });

    /// <summary>The real billing, out of order while told so.</summary>
    private sealed class Switch : IMembershipBilling
    {
        private IMembershipBilling? _inner;

        public bool IsDown { get; set; }

        public Exception? Defect { get; set; }

        public Switch Around(IMembershipBilling inner)
        {
            _inner = inner;
            return this;
        }

        public Task<ChargeOutcome> ChargeAsync(MembershipCharge charge, CancellationToken cancellation) =>
            Defect is { } defect ? throw defect
            : IsDown ? throw new TransientFaultException("down")
            : _inner!.ChargeAsync(charge, cancellation);
    }
}
