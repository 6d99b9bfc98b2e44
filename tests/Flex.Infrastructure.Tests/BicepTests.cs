using Xunit;

namespace Flex.Infrastructure.Tests;

/// <summary>That a mistake in a Bicep file is not overlooked.</summary>
public sealed class BicepTests
{
    [Fact]
    public async Task A_property_that_does_not_exist_is_refused()
    {
        string folder = Directory.CreateTempSubdirectory("flex-bicep").FullName;
        string file = Path.Combine(folder, "wrong.bicep");
        await File.WriteAllTextAsync(
            file,
            """
            resource bus 'Microsoft.ServiceBus/namespaces@2024-01-01' = {
              name: 'flex-example'
              location: 'westeurope'
              properties: { minimumTlsVerson: '1.2' }
            }
            """,
            TestContext.Current.CancellationToken);
        try
        {
            var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => Bicep.CompileAsync(file, TestContext.Current.CancellationToken));
            Assert.Contains("BCP089", refused.Message, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
