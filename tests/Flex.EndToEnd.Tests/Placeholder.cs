namespace Flex.EndToEnd.Tests;

public sealed class Placeholder
{
    [Xunit.Fact]
    public void Builds() => Xunit.Assert.True(true);
}
