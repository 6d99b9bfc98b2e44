using Flex.Kernel;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using Xunit;

namespace Flex.Functions.Tests.Platform.Tables;

/// <summary>The batch refuses what the service would refuse and the emulator accepts.</summary>
public sealed class TableBatchTests
{
    [Fact]
    public void It_holds_100_operations_and_not_one_more()
    {
        TableBatch batch = Batch();
        for (int i = 0; i < 100; i++)
        {
            batch.Insert($"D|{i}", 1);
        }

        Assert.Throws<DefectException>(() => batch.Insert("D|100", 1));
        Assert.Equal(100, batch.Operations.Count);
    }

    [Fact]
    public void A_row_is_in_it_once() => Assert.Throws<DefectException>(() => Batch().Insert("D|1", 1).Delete("D|1", "W/\"1\""));

    [Theory]
    [InlineData("")]
    [InlineData("a/b")]
    [InlineData("a\\b")]
    [InlineData("a#b")]
    [InlineData("a?b")]
    [InlineData("a\tb")]
    [InlineData("a\u0085b")]
    public void A_key_has_only_characters_the_service_takes(string key)
    {
        Assert.Throws<DefectException>(() => Batch().Insert(key, 1));
        Assert.Throws<DefectException>(() => new TableBatch("things", key));
    }

    [Fact]
    public void A_key_has_at_most_512_characters()
    {
        Batch().Insert(new string('k', 512), 1);

        Assert.Throws<DefectException>(() => Batch().Insert(new string('k', 513), 1));
    }

    [Theory]
    [InlineData("ab")]
    [InlineData("1things")]
    [InlineData("my-things")]
    [InlineData("")]
    public void A_table_name_is_3_to_63_letters_and_digits(string table) => Assert.Throws<DefectException>(() => new TableBatch(table, "home01"));

    [Theory]
    [InlineData("")]
    [InlineData("*")]
    public void A_write_names_the_version_it_has_read(string etag)
    {
        Assert.Throws<DefectException>(() => Batch().Replace("D|1", 1, etag));
        Assert.Throws<DefectException>(() => Batch().Delete("D|1", etag));
    }

    [Fact]
    public void A_document_fits_into_a_row()
    {
        Batch().Insert("D|1", new string('x', TableLimits.MaxDataChars - 2));

        Assert.Throws<DefectException>(() => Batch().Insert("D|1", new string('x', TableLimits.MaxDataChars - 1)));
    }

    [Fact]
    public void A_transaction_stays_below_4_MiB_as_it_travels()
    {
        // Nine documents of 440 kB fit as they are; with quotes, which travel as six characters each, they do not.
        string plain = new('x', 440_000);
        string[] quotes = [.. Enumerable.Repeat(string.Empty, 146_000)];
        TableBatch batch = Batch();
        for (int i = 0; i < 9; i++)
        {
            batch.Insert($"D|{i}", plain);
        }

        Assert.Throws<DefectException>(() =>
        {
            TableBatch large = Batch();
            for (int i = 0; i < 9; i++)
            {
                large.Insert($"D|{i}", quotes);
            }
        });
    }

    [Fact]
    public void Put_inserts_what_was_not_there_and_replaces_what_was()
    {
        TableBatch batch = Batch().Put("D|1", 1, null).Put("D|2", 2, "W/\"2\"");

        Assert.Equal([TableOperationKind.Insert, TableOperationKind.Replace], batch.Operations.Select(o => o.Kind));
    }

    [Fact]
    public void A_sent_message_is_an_outbox_row_of_the_same_commit()
    {
        var message = new OutboxMessage("msg_1", Queues.Mail, "mail.send.v1", "{}", null);

        TableBatch batch = Batch().Send(message);

        Assert.Equal("O|msg_1", Assert.Single(batch.Operations).Key);
        Assert.Equal(message, Assert.Single(batch.Messages));
    }

    [Fact]
    public void A_prefix_range_holds_exactly_the_keys_with_the_prefix()
    {
        RowRange range = RowRange.Prefix("D|1");

        Assert.All(["D|1", "D|1a", "D|1\uffff"], k => Assert.True(range.Contains(k)));
        Assert.All(["D|", "D|0z", "D|2", "d|1"], k => Assert.False(range.Contains(k)));
        Assert.False(range.After("D|1").Contains("D|1"));
        Assert.True(range.After("D|1").Contains("D|1!"));
        Assert.Equal(range, range.After("A"));
        Assert.Equal(RowRange.All, RowRange.Prefix(string.Empty));
    }

    private static TableBatch Batch() => new("things", "home01");
}
