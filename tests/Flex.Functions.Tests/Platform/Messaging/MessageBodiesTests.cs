using System.Text;
using Flex.Kernel;
using Flex.Local.Runtime.Storage;
using Flex.Platform;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using Xunit;

namespace Flex.Functions.Tests.Platform.Messaging;

/// <summary>A body over the broker's limit travels by reference and arrives as it was.</summary>
public sealed class MessageBodiesTests
{
    private readonly MemoryBlobStore _blobs = new();
    private readonly MessageBodies _bodies;

    public MessageBodiesTests() => _bodies = new MessageBodies(_blobs, MessageLimits.ServiceBus);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_small_body_travels_as_it_is_without_a_storage_call()
    {
        using StorageCallScope calls = StorageCalls.Measure();
        Envelope envelope = Message("{\"a\":1}");

        Assert.Same(envelope, await _bodies.ShrinkAsync(envelope, Cancellation));
        Assert.Same(envelope, await _bodies.ResolveAsync(envelope, Cancellation));
        Assert.Equal(0, calls.Count);
    }

    [Theory]
    [InlineData("x")]
    [InlineData("é")]
    [InlineData("東")]
    [InlineData("\\\"")]
    public async Task A_large_body_comes_back_unchanged_and_its_reference_is_small(string text)
    {
        Envelope envelope = Message('"' + string.Concat(Enumerable.Repeat(text, 200_000 / text.Length)) + '"');

        Envelope shrunk = await _bodies.ShrinkAsync(envelope, Cancellation);

        Assert.True(StorageJson.Write(shrunk).Length < 500);
        Assert.Equal(envelope with { Body = shrunk.Body }, shrunk);
        Assert.Equal(envelope, await _bodies.ResolveAsync(shrunk, Cancellation));
    }

    [Fact]
    public async Task The_limit_is_on_what_travels_not_on_the_body_alone()
    {
        int overhead = StorageJson.Write(Message(string.Empty)).Length;
        Envelope fits = Message(new string('1', MessageLimits.ServiceBus.MaxBytes - overhead));
        Envelope tooLong = Message(new string('1', MessageLimits.ServiceBus.MaxBytes - overhead + 1));

        // Quotes travel as six characters each, so this one is far below the limit only until it is written.
        Envelope quotes = Message(StorageJson.Write(Enumerable.Repeat("a", 25_000)));

        Assert.Same(fits, await _bodies.ShrinkAsync(fits, Cancellation));
        Assert.NotEqual(tooLong, await _bodies.ShrinkAsync(tooLong, Cancellation));
        Assert.True(Encoding.UTF8.GetByteCount(quotes.Body) < MessageLimits.ServiceBus.MaxBytes);
        Assert.NotEqual(quotes, await _bodies.ShrinkAsync(quotes, Cancellation));
    }

    [Fact]
    public async Task A_real_body_that_looks_like_a_reference_is_not_taken_for_one()
    {
        Envelope reference = await _bodies.ShrinkAsync(Message('"' + new string('x', 200_000) + '"'), Cancellation);
        Envelope lookalike = Message(reference.Body);

        Envelope travelled = await _bodies.ResolveAsync(await _bodies.ShrinkAsync(lookalike, Cancellation), Cancellation);

        Assert.Equal(lookalike, travelled);
    }

    [Fact]
    public async Task Publishing_the_same_message_again_gives_the_same_reference()
    {
        Envelope envelope = Message('"' + new string('x', 200_000) + '"');

        Assert.Equal(await _bodies.ShrinkAsync(envelope, Cancellation), await _bodies.ShrinkAsync(envelope, Cancellation));
    }

    [Fact]
    public async Task A_body_that_is_gone_is_a_defect()
    {
        Envelope shrunk = await _bodies.ShrinkAsync(Message('"' + new string('x', 200_000) + '"'), Cancellation);
        var elsewhere = new MessageBodies(new MemoryBlobStore(), MessageLimits.ServiceBus);

        await Assert.ThrowsAsync<DefectException>(() => elsewhere.ResolveAsync(shrunk, Cancellation));
    }

    private static Envelope Message(string body) => new("msg_1", "thing.happened.v1", body, "req_1");
}
