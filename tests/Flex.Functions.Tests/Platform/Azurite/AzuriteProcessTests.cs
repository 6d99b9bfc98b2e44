using System.Diagnostics;
using Flex.Functions.Tests.Platform.Tables;
using Flex.Local.Runtime.Azurite;
using Flex.Platform.Tables;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Flex.Functions.Tests.Platform.Azurite;

/// <summary>Azurite's life: data outlive it, a left-behind one is found again, and nobody else's process is touched.</summary>
public sealed class AzuriteProcessTests : IAsyncDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("flex-azurite-").FullName;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await AzuriteProcess.StopAbandonedAsync(_directory, NullLogger.Instance, CancellationToken.None);
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task What_was_written_just_before_the_end_is_there_after_the_next_start()
    {
        await using (AzuriteProcess first = await StartAsync())
        {
            await InsertAsync(first);
        }

        Assert.False(File.Exists(Path.Combine(_directory, "azurite.json")));
        await using AzuriteProcess second = await StartAsync();
        Assert.True(await IsThereAsync(second));
    }

    [Fact]
    public async Task One_left_behind_by_a_killed_Flex_is_adopted_with_its_data()
    {
        (string left, int processId) = await LeaveBehindAsync();

        await using AzuriteProcess adopted = await AzuriteProcess.StartAsync(left, NullLogger.Instance, Cancellation);

        Assert.Equal(processId, adopted.ProcessId);
        Assert.True(await IsThereAsync(adopted));
    }

    [Fact]
    public async Task One_left_behind_that_does_not_answer_on_its_ports_is_stopped_and_started_anew()
    {
        (string left, int processId) = await LeaveBehindAsync();
        string state = Path.Combine(left, "azurite.json");
        string text = await File.ReadAllTextAsync(state, Cancellation);
        await File.WriteAllTextAsync(state, System.Text.RegularExpressions.Regex.Replace(text, "\"tablePort\":\\d+", "\"tablePort\":1"), Cancellation);

        await using AzuriteProcess anew = await AzuriteProcess.StartAsync(left, NullLogger.Instance, Cancellation);

        Assert.NotEqual(processId, anew.ProcessId);
        Assert.True(await IsThereAsync(anew));
    }

    [Fact]
    public async Task One_left_behind_can_be_stopped()
    {
        (string left, int processId) = await LeaveBehindAsync();

        Assert.True(await AzuriteProcess.StopAbandonedAsync(left, NullLogger.Instance, Cancellation));

        Assert.False(File.Exists(Path.Combine(left, "azurite.json")));
        await using AzuriteProcess anew = await AzuriteProcess.StartAsync(left, NullLogger.Instance, Cancellation);
        Assert.NotEqual(processId, anew.ProcessId);
    }

    [Fact]
    public async Task A_process_id_that_belongs_to_somebody_else_by_now_is_left_alone()
    {
        using Process bystander = Process.Start(new ProcessStartInfo("sleep", ["60"]))!;
        try
        {
            await File.WriteAllTextAsync(
                Path.Combine(_directory, "azurite.json"),
                $$"""{"processId":{{bystander.Id}},"blobPort":1,"queuePort":1,"tablePort":1}""",
                Cancellation);

            await using AzuriteProcess azurite = await StartAsync();

            Assert.NotEqual(bystander.Id, azurite.ProcessId);
            Assert.False(bystander.HasExited);
        }
        finally
        {
            bystander.Kill();
        }
    }

    [Fact]
    public async Task A_data_directory_has_one_owner()
    {
        await using AzuriteProcess owner = await StartAsync();

        AzuriteUnavailableException refusal = await Assert.ThrowsAsync<AzuriteUnavailableException>(StartAsync);

        Assert.Equal($"The data directory {_directory} is in use by another Flex.", refusal.Message);
        Assert.False(await AzuriteProcess.StopAbandonedAsync(_directory, NullLogger.Instance, Cancellation));
    }

    private static async Task InsertAsync(AzuriteProcess azurite) =>
        (await Store(azurite).CommitAsync(new TableBatch("things", "home01").Insert("D|1", new Thing("kept", 1)), Cancellation)).Require();

    private static async Task<bool> IsThereAsync(AzuriteProcess azurite) =>
        await Store(azurite).FindAsync("things", "home01", "D|1", Cancellation) is not null;

    private static AzureTableStore Store(AzuriteProcess azurite) => TablesFeature.CreateStore(new TableOptions { ConnectionString = azurite.ConnectionString });

    private Task<AzuriteProcess> StartAsync() => AzuriteProcess.StartAsync(_directory, NullLogger.Instance, Cancellation);

    /// <summary>An Azurite whose owner is gone without ending it: its lock is free, everything else is as it was.</summary>
    private async Task<(string Directory, int ProcessId)> LeaveBehindAsync()
    {
        AzuriteProcess azurite = await StartAsync();
        await InsertAsync(azurite);
        azurite.Abandon();
        return (_directory, azurite.ProcessId);
    }
}
