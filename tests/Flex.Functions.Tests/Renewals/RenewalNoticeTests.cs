using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Flex.Kernel;
using Flex.Local.Runtime.Durable;
using Flex.Local.Runtime.Hosting;
using Flex.Local.Runtime.Testing;
using Flex.Renewals;
using Microsoft.Extensions.DependencyInjection;
using NodaTime;
using Xunit;

namespace Flex.Functions.Tests.Renewals;

/// <summary>What the payer hears, and what runs behind it leaves for whoever has to follow it.</summary>
public sealed class RenewalNoticeTests
{
    [Fact]
    [Trait("Rule", "DUN-13")]
    public async Task Every_failed_attempt_is_mailed_with_its_reason_and_the_next_date_and_so_is_the_downgrade()
    {
        await using RenewalWorld world = await RenewalWorld.StartAsync();
        await world.SignUpAsync("pm_card_visa");
        await world.AttachAsync("pm_card_chargeCustomerFail");

        await world.AdvanceToLocalAsync(new LocalDate(2025, 2, 10));

        IReadOnlyList<DroppedMail> mails = world.World.Mail.Mails;
        Assert.Equal(5, mails.Count);
        Assert.All(mails, m => Assert.Equal("billing@example.test", m.To));
        Assert.All(mails.Take(4), m => Assert.Contains("failed: generic decline.", m.Text, StringComparison.Ordinal));
        Assert.Contains("We will try again on 2025-02-02.", mails[0].Text, StringComparison.Ordinal);
        Assert.Contains("We will try again on 2025-02-05.", mails[1].Text, StringComparison.Ordinal);
        Assert.Contains("We will try again on 2025-02-08.", mails[2].Text, StringComparison.Ordinal);
        Assert.Contains("This was the last attempt.", mails[3].Text, StringComparison.Ordinal);
        Assert.Equal("Your membership Full time has ended", mails[4].Subject);
        using HttpClient anonymous = world.World.Anonymous();
        Assert.Equal(5, (await anonymous.GetFromJsonAsync<JsonArray>("/local/mail", TestContext.Current.CancellationToken))!.Count);
    }

    [Fact]
    public async Task A_successful_renewal_mails_nothing()
    {
        await using RenewalWorld world = await RenewalWorld.StartAsync();
        await world.SignUpAsync("pm_card_visa");

        await world.AdvanceToLocalAsync(new LocalDate(2025, 2, 3));

        Assert.Empty(world.World.Mail.Mails);
    }

    [Fact]
    public async Task The_correlation_id_of_a_request_reaches_the_orchestration_that_it_starts()
    {
        var recorder = new ExecutionRecorder();
        await using RenewalWorld world = await RenewalWorld.StartAsync(new FlexWorldOptions
        {
            Start = Instant.FromUtc(2025, 1, 1, 15, 0),
            Services = services => services.AddSingleton<IExecutionRecorder>(recorder),
        });
        string id = await world.SignUpAsync("pm_card_visa");
        await world.CancelAsync(id, new LocalDate(2025, 1, 20), requestId: "the-request");

        await world.AdvanceToLocalAsync(new LocalDate(2025, 1, 21));

        RecordedExecution last = recorder.Executions.Last(e => e.Start.Name == RenewalNames.Renewal);
        Assert.Contains("the-request", last.Transcript().Aggregate(string.Concat), StringComparison.Ordinal);
    }
}
