namespace Flex.Kernel;

/// <summary>What kind of refusal it is; decides the HTTP status (see <see cref="Error.Status"/>).</summary>
public enum ErrorKind
{
    /// <summary>400: cannot be understood (broken JSON, unknown member, bad header).</summary>
    Malformed,

    /// <summary>401</summary>
    Unauthenticated,

    /// <summary>402: a payment was declined.</summary>
    PaymentFailed,

    /// <summary>403</summary>
    Forbidden,

    /// <summary>404</summary>
    NotFound,

    /// <summary>405</summary>
    MethodNotAllowed,

    /// <summary>409: a rule said no in the current state.</summary>
    Refused,

    /// <summary>412: the caller's ETag is not the current one.</summary>
    Stale,

    /// <summary>413</summary>
    TooLarge,

    /// <summary>415</summary>
    UnsupportedMediaType,

    /// <summary>422: understood, but a value is not acceptable.</summary>
    Invalid,

    /// <summary>429: the caller calls too often.</summary>
    RateLimited,

    /// <summary>503: a dependency is down or busy; nothing was changed, try again.</summary>
    Unavailable,
}

/// <summary>One member of a request that is not acceptable. <paramref name="Pointer"/> is an RFC 6901 JSON pointer.</summary>
public sealed record FieldError(string Pointer, string Code, string Message);

/// <summary>
/// A refusal with a stable code from <see cref="ErrorCodes"/>. Codes are API contract; details are for people and may change.
/// </summary>
public sealed record Error(ErrorKind Kind, string Code, string Detail)
{
    public IReadOnlyList<FieldError> Fields { get; init; } = [];

    /// <summary>Extra members of the problem document, e.g. <c>declineCode</c> or the conflicting interval.</summary>
    public IReadOnlyDictionary<string, object?> Extensions { get; init; } = new Dictionary<string, object?>();

    /// <summary>After how many seconds a repeat can succeed (<c>Retry-After</c>); null when that is not known.</summary>
    public int? RetryAfterSeconds { get; init; }

    public int Status => Kind switch
    {
        ErrorKind.Malformed => 400,
        ErrorKind.Unauthenticated => 401,
        ErrorKind.PaymentFailed => 402,
        ErrorKind.Forbidden => 403,
        ErrorKind.NotFound => 404,
        ErrorKind.MethodNotAllowed => 405,
        ErrorKind.Refused => 409,
        ErrorKind.Stale => 412,
        ErrorKind.TooLarge => 413,
        ErrorKind.UnsupportedMediaType => 415,
        ErrorKind.Invalid => 422,
        ErrorKind.RateLimited => 429,
        ErrorKind.Unavailable => 503,
        _ => throw new InvalidOperationException($"No status for {Kind}."),
    };

    public static Error Invalid(string code, string pointer, string message) =>
        new(ErrorKind.Invalid, code, message) { Fields = [new FieldError(pointer, code, message)] };

    public static Error Refused(string code, string detail) => new(ErrorKind.Refused, code, detail);

    public static Error NotFound(string what) => new(ErrorKind.NotFound, ErrorCodes.NotFound, $"{what} does not exist.");

    public static Error Stale() => new(ErrorKind.Stale, ErrorCodes.Stale, "The resource has changed since it was read. Read it again and repeat the change.");
}

/// <summary>A dependency is down, throttled or slow. Nothing was decided; the caller may repeat. HTTP 503, queues redeliver, activities retry.</summary>
public sealed class TransientFaultException : Exception
{
    public TransientFaultException()
    {
    }

    public TransientFaultException(string message)
        : base(message)
    {
    }

    public TransientFaultException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}

/// <summary>An invariant is broken: cannot happen, and says so. HTTP 500 without detail; queues dead-letter in the end.</summary>
public sealed class DefectException : Exception
{
    public DefectException()
    {
    }

    public DefectException(string message)
        : base(message)
    {
    }

    public DefectException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
