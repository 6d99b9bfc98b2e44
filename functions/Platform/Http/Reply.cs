using Microsoft.AspNetCore.Http;

namespace Flex.Platform.Http;

/// <summary>What a handler answers: a value, a refusal, or the stored answer of an earlier request with the same Idempotency-Key.</summary>
public sealed class Reply<T>
{
    private Reply(T? value, Error? error, IdempotencyRow? stored)
    {
        Value = value;
        Error = error;
        Stored = stored;
    }

    /// <summary>The value; only meaningful when <see cref="Error"/> and <see cref="Stored"/> are null.</summary>
    public T? Value { get; }

    public Error? Error { get; }

    /// <summary>Sent byte for byte, with <c>Idempotency-Replayed: true</c>.</summary>
    public IdempotencyRow? Stored { get; }

    public static implicit operator Reply<T>(T value) => new(value, null, null);

    public static implicit operator Reply<T>(Error error) => new(default, error, null);

    public static implicit operator Reply<T>(Result<T> result) => result.IsError ? result.Error : From(result.Value);

    /// <summary>For values of an interface type, which the conversion operator cannot take.</summary>
    public static Reply<T> From(T value) => new(value, null, null);

    public static Reply<T> Replay(IdempotencyRow stored) => new(default, null, stored);
}

/// <summary>The HTTP form of a handler's value: status, Location, ETag and body. The trigger decides it, see <see cref="Respond"/>.</summary>
public sealed class Responder
{
    private readonly int _status;
    private readonly Func<object, string>? _location;
    private readonly bool _hasBody;
    private readonly Func<object, string?>? _operation;

    /// <param name="operation">Where to watch what is not done yet; null: it is.</param>
    internal Responder(int status, Func<object, string>? location, bool hasBody, Func<object, string?>? operation = null)
    {
        _status = status;
        _location = location;
        _hasBody = hasBody;
        _operation = operation;
    }

    internal int Status => _status;

    internal static Responder Default { get; } = new(StatusCodes.Status200OK, null, hasBody: true);

    /// <summary>The same answer always gives the same bytes.</summary>
    public StoredAnswer Render<T>(T value) => new(
        _operation?.Invoke(value!) is null ? _status : StatusCodes.Status202Accepted,
        _hasBody ? HttpJson.Write(value) : null,
        _operation?.Invoke(value!) ?? _location?.Invoke(value!),
        value is IVersioned versioned ? ETags.Of(versioned.Version) : null);
}

/// <summary>An answer as it goes over the wire.</summary>
public sealed record StoredAnswer(int Status, string? Json, string? Location, string? ETag);

/// <summary>How a trigger answers the value of type <typeparamref name="T"/>.</summary>
public sealed class Respond<T>
{
    internal Respond(Responder responder) => Responder = responder;

    internal Responder Responder { get; }
}

/// <summary>The ways to answer. A location is a path, e.g. <c>/api/v1/bookings/{id}</c>.</summary>
public static class Respond
{
    public static Respond<T> Ok<T>() => new(Responder.Default);

    /// <summary>201 with Location.</summary>
    public static Respond<T> Created<T>(Func<T, string> location) => new(new Responder(StatusCodes.Status201Created, v => location((T)v), hasBody: true));

    /// <summary>202 with the Location of the operation to watch.</summary>
    public static Respond<T> Accepted<T>(Func<T, string> location) => new(new Responder(StatusCodes.Status202Accepted, v => location((T)v), hasBody: true));

    /// <summary>201 with Location or, while <paramref name="operation"/> says that the work goes on, 202 with the Location it gives.</summary>
    public static Respond<T> CreatedOrAccepted<T>(Func<T, string> location, Func<T, string?> operation) =>
        new(new Responder(StatusCodes.Status201Created, v => location((T)v), hasBody: true, v => operation((T)v)));

    /// <summary>200 or, while <paramref name="operation"/> says that the work goes on, 202 with the Location it gives.</summary>
    public static Respond<T> OkOrAccepted<T>(Func<T, string?> operation) =>
        new(new Responder(StatusCodes.Status200OK, null, hasBody: true, v => operation((T)v)));

    public static Respond<Unit> NoContent() => new(new Responder(StatusCodes.Status204NoContent, null, hasBody: false));
}
