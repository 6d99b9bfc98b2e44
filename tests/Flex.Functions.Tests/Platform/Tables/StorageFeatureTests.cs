using Flex.Functions.Tests.Platform.Messaging;
using Flex.Kernel;
using Flex.Local.Runtime.Storage;
using Flex.Platform;
using Flex.Platform.Blobs;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Flex.Functions.Tests.Platform.Tables;

/// <summary>Wiring: everything can be made.</summary>
public sealed class StorageFeatureTests
{
    private const string Emulator = "UseDevelopmentStorage=true";

    [Theory]
    [InlineData("ConnectionString", Emulator, Emulator)]
    [InlineData("ServiceUri", "https://x.table.core.windows.net", "https://x.blob.core.windows.net")]
    public void With_right_settings_there_is_one_store_of_each_kind(string setting, string tables, string blobs)
    {
        using ServiceProvider provider = Services(("Tables:" + setting, tables), ("Blobs:" + setting, blobs), ("Tables:ClientId", "11111111-1111-1111-1111-111111111111"));

        Assert.Same(provider.GetRequiredService<ITableStore>(), provider.GetRequiredService<ITableScanner>());
        Assert.IsType<AzureTableStore>(provider.GetRequiredService<ITableStore>());
        Assert.IsType<AzureBlobStore>(provider.GetRequiredService<IBlobStore>());
    }

    [Fact]
    public void What_stands_on_the_ports_can_be_made_and_keeps_what_the_host_chose()
    {
        var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider();
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddSingleton<TimeProvider>(time);
        services.AddSingleton(MessageLimits.StorageQueue);
        services.AddSingleton<ITableStore, MemoryTableStore>();
        services.AddSingleton<IBlobStore, MemoryBlobStore>();
        services.AddSingleton<IMessagePublisher, RecordingPublisher>();
        services.AddPlatformStorage();
        services.AddSingleton<OutboxFunctions>();
        using ServiceProvider provider = services.BuildServiceProvider(new ServiceProviderOptions { ValidateOnBuild = true, ValidateScopes = true });

        Assert.Same(time, provider.GetRequiredService<TimeProvider>());
        Assert.Same(MessageLimits.StorageQueue, provider.GetRequiredService<MessageLimits>());
        Assert.Equal(EntityId.CoreLength, provider.GetRequiredService<IIdSource>().Next().Length);
        Assert.Contains(provider.GetServices<IMessageHandler>(), h => (h.Queue, h.Subject) == (Queues.Outbox, OutboxSweep.Subject));
        Assert.NotNull(provider.GetRequiredService<OutboxFunctions>());
        Assert.NotNull(provider.GetRequiredService<Committer>());
    }

    [Fact]
    public async Task A_sweep_travels_from_commit_through_the_trigger_to_an_empty_outbox()
    {
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        var tables = new MemoryTableStore();
        var broker = new RecordingPublisher();
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddSingleton<ITableStore>(tables);
        services.AddSingleton<IBlobStore, MemoryBlobStore>();
        services.AddSingleton<IMessagePublisher>(broker);
        services.AddPlatformStorage();
        services.AddSingleton<OutboxFunctions>();
        await using ServiceProvider provider = services.BuildServiceProvider();
        var actions = new RecordingActions();
        TableBatch batch = new TableBatch("things", "home01").Send(OutboxMessage.Create("msg_1", Queues.Mail, "mail.send.v1", "hello"));

        (await provider.GetRequiredService<Committer>().CommitAsync(batch, cancellation)).Require();
        await provider.GetRequiredService<OutboxFunctions>().ConsumeAsync(
            RecordingActions.Message(StorageJson.Write(broker.Sweeps.Single().Message)), actions, cancellation);

        Assert.Empty(tables.Snapshot("things", "home01"));
        Assert.Equal(["completed"], actions.Settled);
    }

    private static ServiceProvider Services(params (string Key, string? Value)[] settings)
    {
        IConfiguration configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(settings.Where(s => s.Value is not null).Select(s => KeyValuePair.Create(s.Key, s.Value)))
            .Build();
        return new ServiceCollection().AddAzureTables(configuration).AddAzureBlobs(configuration).CheckSettings().BuildServiceProvider();
    }
}
