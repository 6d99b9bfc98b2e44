using Flex.Functions.Tests.Platform.Http;
using Flex.Local.Runtime.Testing;
using Flex.Platform.Identity;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using Flex.Platform.Telemetry;
using NodaTime;
using Xunit;

namespace Flex.Functions.Tests.Platform.Telemetry;

/// <summary>Calls to storage are told by what was being done.</summary>
public sealed class StorageActionTests
{
    [Fact]
    public async Task A_request_a_timer_and_a_message_each_count_under_their_own_name()
    {
        await using FlexWorld world = await FlexWorld.StartAsync();
        using HttpClient staff = world.As(Role.Staff);
        using var metrics = new MetricRecorder();

        using HttpResponseMessage made = await staff.PostAsync(
            "/api/v1/customers",
            new StringContent("""{"name":"Ada","billingEmail":"ada@example.test"}""", System.Text.Encoding.UTF8, "application/json"),
            TestContext.Current.CancellationToken);
        made.EnsureSuccessStatusCode();
        await world.Get<IMessagePublisher>().PublishAsync(
            Queues.Outbox,
            new Envelope("swp_1", OutboxSweep.Subject, Flex.Platform.StorageJson.Write(new OutboxSweep("customers", "nobody")), null),
            null,
            TestContext.Current.CancellationToken);
        await world.AdvanceAsync(Duration.FromHours(2));

        IReadOnlyList<string> calls = metrics.Of("flex.storage.calls");
        Assert.Contains("1 action=Customers_Create,service=table", calls);
        Assert.Contains("1 action=outbox outbox.sweep.v1,service=table", calls);
        Assert.Contains("1 action=RecurringBookings_Hourly,service=table", calls);
        Assert.Equal(CurrentAction.None, CurrentAction.Name);
    }

    [Fact]
    public async Task An_activity_counts_under_its_name()
    {
        using var metrics = new MetricRecorder();
        using var app = new FunctionHarness();

        await new ActionMiddleware().Invoke(new FakeFunctionContext("Renewals_Step_v1", null, app.Services), _ =>
        {
            StorageCalls.Record("blob");
            return Task.CompletedTask;
        });

        Assert.Equal(["1 action=Renewals_Step_v1,service=blob"], metrics.Of("flex.storage.calls"));
    }
}
