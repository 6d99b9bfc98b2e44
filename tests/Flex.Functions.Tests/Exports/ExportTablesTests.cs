using System.Reflection;
using Flex.Exports;
using Flex.Platform.Tables;
using Xunit;

namespace Flex.Functions.Tests.Exports;

public sealed class ExportTablesTests
{
    [Fact]
    public void Every_table_of_the_app_is_exported_but_those_without_business_in_them()
    {
        string[] declared = [.. typeof(FlexApp).Assembly.GetTypes()
            .Select(t => t.GetField("Table", BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static))
            .OfType<FieldInfo>().Where(f => f.IsLiteral)
            .Select(f => (string)f.GetRawConstantValue()!).Distinct()];

        Assert.True(declared.Length > 10);
        Assert.Equal(
            declared.Except([StorageReadiness.Table, RestoreMark.Table]).Order(StringComparer.Ordinal),
            ExportTables.All.Order(StringComparer.Ordinal));
    }
}
