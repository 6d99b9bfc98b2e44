namespace Flex.Platform.Http;

/// <summary>
/// A refusal met while a request is being read, before any handler runs: broken JSON, a bad header, an id of another form.
/// Ends the request with the error's problem document. Handlers return errors, they do not throw them.
/// </summary>
public sealed class RefusalException : Exception
{
    public RefusalException(Error error)
        : base(error.Detail) => Error = error;

    public RefusalException()
        : this(Malformed("The request cannot be understood."))
    {
    }

    public RefusalException(string message)
        : this(Malformed(message))
    {
    }

    public RefusalException(string message, Exception? innerException)
        : base(message, innerException) => Error = Malformed(message);

    public Error Error { get; }

    public static Error Malformed(string detail, string? pointer = null) => new(ErrorKind.Malformed, ErrorCodes.MalformedRequest, detail)
    {
        Fields = pointer is null ? [] : [new FieldError(pointer, ErrorCodes.MalformedRequest, detail)],
    };
}
