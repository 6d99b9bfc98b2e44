using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Flex.Local.Runtime.InProcess;

/// <summary>A buffered response that starts, and runs its OnStarting callbacks, with the first byte as a server's does.</summary>
internal sealed class InProcessResponse : IHttpResponseFeature, IHttpResponseBodyFeature
{
    private readonly ArrayBufferWriter<byte> _bytes = new();
    private readonly Stack<(Func<object, Task> Callback, object State)> _starting = new();
    private readonly Stack<(Func<object, Task> Callback, object State)> _completed = new();
    private PipeWriter? _writer;
    private bool _aborted;

    public InProcessResponse() => Stream = new StartingStream(this);

    public int StatusCode { get; set; } = StatusCodes.Status200OK;

    public string? ReasonPhrase { get; set; }

    public IHeaderDictionary Headers { get; set; } = new HeaderDictionary();

    /// <summary>Of <see cref="IHttpResponseFeature"/>, which older code still sets; the body feature's stream is the one written to.</summary>
    Stream IHttpResponseFeature.Body
    {
        get => Stream;
        set => throw new NotSupportedException("Replace the IHttpResponseBodyFeature.");
    }

    public Stream Stream { get; }

    public PipeWriter Writer => _writer ??= PipeWriter.Create(Stream, new StreamPipeWriterOptions(leaveOpen: true));

    public bool HasStarted { get; private set; }

    public byte[] Written() => _aborted
        ? throw new HttpRequestException(HttpRequestError.ResponseEnded, "The server aborted the response.")
        : _bytes.WrittenSpan.ToArray();

    public void Abort() => _aborted = true;

    public void OnStarting(Func<object, Task> callback, object state) => _starting.Push((callback, state));

    public void OnCompleted(Func<object, Task> callback, object state) => _completed.Push((callback, state));

    public void DisableBuffering()
    {
    }

    public async Task StartAsync(CancellationToken cancellationToken = default)
    {
        if (HasStarted)
        {
            return;
        }

        while (_starting.TryPop(out (Func<object, Task> Callback, object State) next))
        {
            await next.Callback(next.State);
        }

        HasStarted = true;
        if (Headers is HeaderDictionary headers)
        {
            headers.IsReadOnly = true;
        }
    }

    public async Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default)
    {
        await StartAsync(cancellationToken);
        await using FileStream file = File.OpenRead(path);
        file.Seek(offset, SeekOrigin.Begin);
        var bytes = new byte[count ?? (file.Length - offset)];
        await file.ReadExactlyAsync(bytes, cancellationToken);
        _bytes.Write(bytes);
    }

    public async Task CompleteAsync()
    {
        if (_writer is not null)
        {
            await _writer.FlushAsync();
        }

        await StartAsync();
        while (_completed.TryPop(out (Func<object, Task> Callback, object State) next))
        {
            await next.Callback(next.State);
        }
    }

    private sealed class StartingStream(InProcessResponse response) : Stream
    {
        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override void Flush() => response.StartAsync().GetAwaiter().GetResult();

        public override Task FlushAsync(CancellationToken cancellationToken) => response.StartAsync(cancellationToken);

        public override void Write(byte[] buffer, int offset, int count)
        {
            Flush();
            response._bytes.Write(buffer.AsSpan(offset, count));
        }

        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await response.StartAsync(cancellationToken);
            response._bytes.Write(buffer.Span);
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
