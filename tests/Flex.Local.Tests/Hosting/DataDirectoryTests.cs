using Flex.Local.Runtime.Hosting;
using NodaTime;
using Xunit;

namespace Flex.Local.Tests.Hosting;

public sealed class DataDirectoryTests : IDisposable
{
    private static readonly Instant Start = Instant.FromUtc(2025, 1, 1, 0, 0);
    private readonly string _path = Directory.CreateTempSubdirectory("flex-data-").FullName;

    public void Dispose() => Directory.Delete(_path, recursive: true);

    [Fact]
    public void Two_processes_never_share_a_directory()
    {
        using (DataDirectory.Open(_path))
        {
            LocalHostException refused = Assert.Throws<LocalHostException>(() => DataDirectory.Open(_path));
            Assert.Contains("in use", refused.Message, StringComparison.Ordinal);
        }

        DataDirectory.Open(_path).Dispose();
    }

    [Fact]
    public void A_simulated_clock_goes_on_where_it_stopped()
    {
        using DataDirectory data = DataDirectory.Open(_path);
        Assert.Equal(Start, data.OpenClock(Start));
        data.SaveClock(Start + Duration.FromDays(40));

        Assert.Equal(Start + Duration.FromDays(40), data.OpenClock(Start));
        Assert.Equal(Start + Duration.FromDays(40), data.OpenClock(null));
        Assert.Equal(Start + Duration.FromDays(50), data.OpenClock(Start + Duration.FromDays(50)));
    }

    [Fact]
    public void A_store_that_lives_by_real_time_is_never_put_on_a_simulated_clock()
    {
        using DataDirectory data = DataDirectory.Open(_path);
        Assert.Null(data.OpenClock(null));

        Assert.Null(data.OpenClock(null));
        Assert.Throws<LocalHostException>(() => data.OpenClock(Start));
    }

    [Fact]
    public void The_signing_key_is_kept_so_that_tokens_outlive_the_process()
    {
        var address = new Uri("http://127.0.0.1:7071");
        using DataDirectory data = DataDirectory.Open(_path);

        string first = Platform.StorageJson.Write(LocalIdentity.OfFile(data.IdentityKey, address).Keys());
        string second = Platform.StorageJson.Write(LocalIdentity.OfFile(data.IdentityKey, address).Keys());

        Assert.Equal(first, second);
    }
}
