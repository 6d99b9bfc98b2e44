using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Flex.Kernel;

/// <summary>
/// A typed id. Text form: <c>{prefix}_</c> and 26 lower-case characters (48 bits of time, 80 of randomness, so ids sort by
/// creation) or 32 where the id also carries its home. Only <c>[a-z0-9_]</c>: safe as a table key by construction.
/// </summary>
public interface IEntityId<TSelf>
    where TSelf : struct, IEntityId<TSelf>
{
    static abstract string Prefix { get; }

    /// <summary>True for ids that carry the six-character home (see <see cref="EntityId.Home{T}"/>).</summary>
    static virtual bool HasHome => false;

    string Value { get; }

    static abstract TSelf FromValidated(string value);
}

/// <summary>Making, parsing and taking apart of ids.</summary>
public static class EntityId
{
    public const int CoreLength = 26;
    public const int HomeLength = 6;
    private const string Alphabet = "0123456789abcdefghjkmnpqrstvwxyz";

    public static T New<T>(IIdSource ids)
        where T : struct, IEntityId<T> => T.HasHome
            ? throw new InvalidOperationException($"{typeof(T).Name} needs a home.")
            : T.FromValidated($"{T.Prefix}_{ids.Next()}");

    /// <summary>
    /// An id that names the partition it lives in: the last six characters of <paramref name="home"/>. A row can so be
    /// found by its id alone, with one point read.
    /// </summary>
    public static T New<T>(IIdSource ids, string home)
        where T : struct, IEntityId<T> => T.HasHome && home.Length == HomeLength
            ? T.FromValidated($"{T.Prefix}_{ids.Next()}{home}")
            : throw new InvalidOperationException($"{typeof(T).Name} has no home, or '{home}' is none.");

    /// <summary>
    /// The same id for the same seed text, so that a repeated request or activity names the same thing. The text must be
    /// unique for its purpose, e.g. <c>renewal|mem_…|20250101|0|1</c>.
    /// </summary>
    public static T Derive<T>(string seed, string? home = null)
        where T : struct, IEntityId<T>
    {
        byte[] hash = System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(seed));
        string core = Encode(hash.AsSpan(0, 16));
        return T.FromValidated($"{T.Prefix}_{core}{(T.HasHome ? home ?? throw new ArgumentNullException(nameof(home)) : string.Empty)}");
    }

    /// <summary>The home of an id: its last six characters. For an id without an explicit home these are 30 random bits.</summary>
    public static string Home<T>(T id)
        where T : struct, IEntityId<T> => id.Value[^HomeLength..];

    public static bool TryParse<T>(string? text, out T id)
        where T : struct, IEntityId<T>
    {
        id = default;
        int length = T.Prefix.Length + 1 + CoreLength + (T.HasHome ? HomeLength : 0);
        if (text is null || text.Length != length || !text.StartsWith(T.Prefix, StringComparison.Ordinal) || text[T.Prefix.Length] != '_')
        {
            return false;
        }

        foreach (char c in text.AsSpan(T.Prefix.Length + 1))
        {
            if (!Alphabet.Contains(c, StringComparison.Ordinal))
            {
                return false;
            }
        }

        id = T.FromValidated(text);
        return true;
    }

    public static T Parse<T>(string text)
        where T : struct, IEntityId<T> => TryParse(text, out T id) ? id : throw new FormatException($"'{text}' is not a {T.Prefix}_ id.");

    /// <summary>128 bits as 26 lower-case Crockford base-32 characters; order is kept.</summary>
    public static string Encode(ReadOnlySpan<byte> bytes)
    {
        UInt128 value = System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(bytes);
        Span<char> text = stackalloc char[CoreLength];
        for (int i = CoreLength - 1; i >= 0; i--)
        {
            text[i] = Alphabet[(int)(value & 31)];
            value >>= 5;
        }

        return new string(text);
    }
}

/// <summary>Where fresh ids come from: random in production, seeded in the simulation.</summary>
public interface IIdSource
{
    /// <summary>26 lower-case characters that sort by time.</summary>
    string Next();
}

/// <summary>48 bits of the injected clock's milliseconds and 80 bits from the given source of bytes.</summary>
public sealed class TimeOrderedIds(TimeProvider time, Action<Span<byte>> fill) : IIdSource
{
    /// <summary>Ids with cryptographic randomness, the production source.</summary>
    public static TimeOrderedIds Random(TimeProvider time) => new(time, System.Security.Cryptography.RandomNumberGenerator.Fill);

    public string Next()
    {
        Span<byte> bytes = stackalloc byte[16];
        System.Buffers.Binary.BinaryPrimitives.WriteInt64BigEndian(bytes, time.GetUtcNow().ToUnixTimeMilliseconds() << 16);
        lock (fill)
        {
            fill(bytes[6..]);
        }

        return EntityId.Encode(bytes);
    }
}

/// <summary>Ids are stored and sent as their text; a text of another form is refused.</summary>
public sealed class EntityIdConverter<T> : JsonConverter<T>
    where T : struct, IEntityId<T>
{
    public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        EntityId.TryParse(reader.TokenType == JsonTokenType.String ? reader.GetString() : null, out T id)
            ? id
            : throw new JsonException($"Not a {T.Prefix}_ id.");

    public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) => writer.WriteStringValue(value.Value);

    public override T ReadAsPropertyName(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => Read(ref reader, typeToConvert, options);

    public override void WriteAsPropertyName(Utf8JsonWriter writer, [DisallowNull] T value, JsonSerializerOptions options) => writer.WritePropertyName(value.Value);
}
