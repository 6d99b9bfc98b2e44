using System.Buffers;
using System.Text.Json;
using FluentValidation;
using FluentValidation.Results;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Flex.Platform.Http;

/// <summary>Reads JSON bodies: bounded, strict, validated. Throws <see cref="RefusalException"/> for what it does not accept.</summary>
public static class RequestBody
{
    /// <summary>Far above any request here and far below the host's 30 MB, so that a flood is cheap to refuse.</summary>
    public const int MaxBytes = 256 * 1024;

    /// <summary>The same for a body that is a file.</summary>
    public const int MaxFileBytes = 5 * 1024 * 1024;

    /// <summary>The raw bytes, at most <paramref name="max"/>, also when no Content-Length was sent; else 413 <c>body_too_large</c>.</summary>
    public static async Task<byte[]> ReadBytesAsync(HttpRequest request, int max, CancellationToken cancellation)
    {
        if (request.ContentLength > max)
        {
            throw TooLarge(max);
        }

        using var bytes = new MemoryStream(capacity: (int)(request.ContentLength ?? 1024));
        byte[] buffer = ArrayPool<byte>.Shared.Rent(16 * 1024);
        try
        {
            int read;
            while ((read = await request.Body.ReadAsync(buffer, cancellation)) > 0)
            {
                if (bytes.Length + read > max)
                {
                    throw TooLarge(max);
                }

                bytes.Write(buffer, 0, read);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
        }

        return bytes.ToArray();
    }

    /// <summary>The value the bytes stand for; 415 for another media type, 400 for JSON of another shape, 422 for values that are not acceptable.</summary>
    public static async Task<T> ParseAsync<T>(HttpRequest request, byte[] bytes, CancellationToken cancellation)
    {
        if (!request.HasJsonContentType())
        {
            throw new RefusalException(new Error(ErrorKind.UnsupportedMediaType, ErrorCodes.UnsupportedMediaType, "Send the body as application/json."));
        }

        T value;
        try
        {
            RefuseNullItems(bytes);
            value = JsonSerializer.Deserialize<T>(bytes, HttpJson.Options) ?? throw new RefusalException("The body must not be null.");
        }
        catch (UnacceptableValueException unacceptable)
        {
            throw new RefusalException(Error.Invalid(ErrorCodes.InvalidValue, JsonPointers.Of(unacceptable), unacceptable.Message));
        }
        catch (JsonException broken)
        {
            throw new RefusalException(Misshapen(broken));
        }

        await ValidateAsync(request, value, cancellation);
        return value;
    }

    /// <summary>Operations without a body accept none, or an empty object.</summary>
    public static void RequireNone(byte[] bytes)
    {
        if (bytes.Length > 0 && !bytes.AsSpan().Trim(" \t\r\n"u8).SequenceEqual("{}"u8))
        {
            throw new RefusalException("This operation takes no body.");
        }
    }

    /// <summary>Names every member that is missing; anything else by its place.</summary>
    private static Error Misshapen(JsonException broken)
    {
        string at = JsonPointers.Of(broken);
        IReadOnlyList<string> missing = JsonPointers.MissingFrom(broken);
        return missing.Count == 0
            ? RefusalException.Malformed("The body is not the JSON this operation expects.", at)
            : RefusalException.Malformed($"The body lacks {string.Join(", ", missing)}.") with
            {
                Fields = [.. missing.Select(name => new FieldError($"{at}/{name}", ErrorCodes.MalformedRequest, "This member is needed."))],
            };
    }

    /// <summary>No list here has null items, and the serializer does not check items against their nullable annotation.</summary>
    private static void RefuseNullItems(byte[] bytes)
    {
        var reader = new Utf8JsonReader(bytes, new JsonReaderOptions { MaxDepth = HttpJson.MaxDepth });
        var inArray = new Stack<bool>();
        while (reader.Read())
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.StartArray or JsonTokenType.StartObject:
                    inArray.Push(reader.TokenType == JsonTokenType.StartArray);
                    break;
                case JsonTokenType.EndArray or JsonTokenType.EndObject:
                    inArray.Pop();
                    break;
                case JsonTokenType.Null when inArray.TryPeek(out bool isItem) && isItem:
                    throw new RefusalException("A list must not hold null.");
                default:
                    break;
            }
        }
    }

    private static async Task ValidateAsync<T>(HttpRequest request, T value, CancellationToken cancellation)
    {
        if (request.HttpContext.RequestServices.GetService<IValidator<T>>() is not { } validator)
        {
            return;
        }

        ValidationResult result = await validator.ValidateAsync(value, cancellation);
        if (result.IsValid)
        {
            return;
        }

        FieldError[] fields = [.. result.Errors.Select(f => new FieldError(JsonPointers.FromMemberPath(f.PropertyName), CodeOf(f), f.ErrorMessage))];
        string code = fields.Select(f => f.Code).Distinct().Count() == 1 ? fields[0].Code : ErrorCodes.InvalidValue;
        throw new RefusalException(new Error(ErrorKind.Invalid, code, fields[0].Message) { Fields = fields });
    }

    /// <summary>A rule's own code when it has one of ours; the library otherwise fills in the validator's name.</summary>
    private static string CodeOf(ValidationFailure failure) =>
        failure.ErrorCode is { } code && ErrorCodes.All.ContainsKey(code) ? code : ErrorCodes.InvalidValue;

    private static RefusalException TooLarge(int max) =>
        new(new Error(ErrorKind.TooLarge, ErrorCodes.BodyTooLarge, $"The body has more than {max} bytes."));
}
