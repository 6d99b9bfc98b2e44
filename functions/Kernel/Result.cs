using System.Diagnostics.CodeAnalysis;

namespace Flex.Kernel;

/// <summary>Either a value or an <see cref="Kernel.Error"/>. Business refusals are values; exceptions are for faults and defects.</summary>
public readonly struct Result<T>
{
    private readonly T? _value;

    private Result(T? value, Error? error)
    {
        _value = value;
        Error = error;
    }

    public Error? Error { get; }

    [MemberNotNullWhen(true, nameof(Error))]
    public bool IsError => Error is not null;

    public T Value => Error is null ? _value! : throw new InvalidOperationException($"No value: {Error.Code}.");

    public static implicit operator Result<T>(T value) => new(value, null);

    public static implicit operator Result<T>(Error error) => new(default, error);

    public static Result<T> From(T value) => new(value, null);
}

/// <summary>A result without a value.</summary>
public readonly record struct Unit
{
    public static Unit Value => default;
}
