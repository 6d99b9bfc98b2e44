namespace Flex.Functions.Tests;

public sealed class Placeholder
{
    [Xunit.Fact]
    public void Builds() => Xunit.Assert.True(true);
}
