using Flex.Functions.Tests.Renewals;
using Flex.Local.Runtime.Testing;
using Flex.Platform.Telemetry;
using Microsoft.Extensions.Logging;
using NodaTime;
using Xunit;

namespace Flex.Functions.Tests.Platform.Telemetry;

public sealed class WorldLogTests
{
    /// <summary>The most talkative level: also what libraries say of requests, queries and addresses.</summary>
    [Fact]
    public async Task Nothing_that_is_logged_on_the_way_from_sign_up_to_downgrade_names_a_person_or_a_secret()
    {
        await using RenewalWorld world = await RenewalWorld.StartAsync(
            new FlexWorldOptions { Start = Instant.FromUtc(2025, 1, 1, 15, 0), LogLevel = LogLevel.Trace });
        await world.SignUpAsync("pm_card_visa");
        await world.AttachAsync("pm_card_chargeCustomerFail");

        await world.AdvanceToLocalAsync(new LocalDate(2025, 2, 10));

        string[] lines = [.. world.World.Log.Entries.Select(e => $"{e} {e.Exception}")];
        Assert.True(lines.Length > 100);
        Assert.NotEmpty(world.World.Mail.Mails);
        Assert.Contains(lines, l => l.Contains(LogScrubber.Hidden, StringComparison.Ordinal));
        foreach (string secret in new[] { "example.test", "example%2Etest", "A customer", "eyJ", "sk_test_", "whsec_" })
        {
            Assert.DoesNotContain(lines, l => l.Contains(secret, StringComparison.OrdinalIgnoreCase));
        }
    }
}
