using Flex.Local.Runtime.Storage;
using Flex.Platform.Tables;
using Flex.Tests.Shared;

namespace Flex.Functions.Tests.Platform.Tables;

public sealed class MemoryTableStoreMeetsTheContract : TableStoreContract
{
    protected override Task<ITableStore> NewStoreAsync() => Task.FromResult<ITableStore>(new MemoryTableStore());
}

public sealed class AzureTableStoreMeetsTheContract(AzuriteFixture azurite) : TableStoreContract
{
    protected override async Task<ITableStore> NewStoreAsync() => await azurite.NewStoreAsync();
}
