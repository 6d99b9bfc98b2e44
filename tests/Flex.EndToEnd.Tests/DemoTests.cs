using Flex.EndToEnd.Tests.Support;
using Xunit;

namespace Flex.EndToEnd.Tests;

public sealed class DemoTests(UndisturbedDemo demo)
{
    [Fact]
    public async Task The_demo_passes_on_azurite_and_leaves_a_store_in_which_nothing_is_wrong()
    {
        DemoRun run = await demo.RunAsync();

        Assert.Empty(run.Audit.Findings);
        Assert.Empty(run.Errors);
        Assert.All<int>(
            [run.Audit.Bookings, run.Audit.Invoices, run.Audit.Memberships, run.Audit.Payments ?? 0, run.Audit.Doors],
            looked => Assert.True(looked >= 4, "The audit has seen what the demo made."));
    }
}
