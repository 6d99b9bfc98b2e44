using System.Globalization;
using System.Text.RegularExpressions;
using NodaTime;

namespace Flex.Platform.Telemetry;

/// <summary>
/// Decides what of a value may reach a log. Numbers, times, enums and ids pass; texts pass without what looks like an e-mail
/// address, a token, a key or a card number; values under names that stand for personal data or secrets and all other objects
/// do not pass. Names of people cannot be recognised: code logs ids instead.
/// </summary>
public static partial class LogScrubber
{
    public const string Hidden = "[hidden]";

    /// <summary>Bounds what one value can put into a log.</summary>
    public const int MaxTextLength = 2048;

    private static readonly string[] PrivateNames =
    [
        "name", "firstname", "lastname", "fullname", "displayname", "email", "mail", "to", "phone", "address", "token", "secret", "password",
        "authorization", "apikey", "card", "body", "payload",
    ];

    /// <summary>What may be logged in place of the value.</summary>
    public static object? Value(string name, object? value) => value switch
    {
        null => null,
        string text => IsPrivate(name) ? Hidden : Text(text),
        bool or byte or short or int or long or ulong or uint or double or decimal or Enum or TimeSpan or DateTime or DateTimeOffset or Guid
            or Instant or LocalDate or LocalDateTime or Duration or Money or Currency => value,
        Type type => type.Name,
        _ when IsId(value) => value.ToString(),
        Uri uri => Text(uri.IsAbsoluteUri ? uri.GetLeftPart(UriPartial.Path) : uri.OriginalString.Split('?')[0]),
        IEnumerable<string> texts => IsPrivate(name) ? Hidden : string.Join(", ", texts.Take(20).Select(Text)),
        Exception fault => Fault(fault).Message,
        _ => $"[{value.GetType().Name}]",
    };

    /// <summary>The text without what must not be logged.</summary>
    public static string Text(string text)
    {
        string bounded = text.Length > MaxTextLength ? text[..MaxTextLength] + "…" : text;
        return CardNumber().Replace(Secret().Replace(Email().Replace(bounded, Hidden), Hidden), m => IsCardNumber(m.Value) ? Hidden : m.Value);
    }

    /// <summary>The exception itself when there is nothing to hide in it, else its stand-in with the same stack.</summary>
    public static Exception Fault(Exception fault) => EchoesInput(fault) || Text(fault.ToString()) != fault.ToString() ? new ScrubbedException(fault) : fault;

    /// <summary>The exception's message as it may be seen outside the process; hidden where it repeats what was parsed.</summary>
    public static string Message(Exception fault) => EchoesInput(fault) ? Hidden : Text(fault.Message);

    /// <summary>Exceptions whose message repeats what was parsed.</summary>
    internal static bool EchoesInput(Exception? fault) =>
        fault is not null && (fault is FormatException or System.Text.Json.JsonException or ArgumentException || EchoesInput(fault.InnerException));

    private static bool IsPrivate(string name) => PrivateNames.Any(p => name.EndsWith(p, StringComparison.OrdinalIgnoreCase)
        && (name.Length == p.Length || char.IsUpper(name[^p.Length])) && !name.EndsWith("FunctionName", StringComparison.Ordinal));

    private static bool IsId(object value) =>
        value.GetType() is { IsValueType: true } type && type.GetInterfaces().Any(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IEntityId<>));

    /// <summary>Luhn, so that numbers that merely are long stay readable. Source: ISO/IEC 7812-1 annex B.</summary>
    private static bool IsCardNumber(string text)
    {
        int[] digits = [.. text.Where(char.IsAsciiDigit).Select(c => c - '0')];
        int sum = digits.Reverse().Select((d, i) => i % 2 == 0 ? d : d * 2 > 9 ? (d * 2) - 9 : d * 2).Sum();
        return sum % 10 == 0;
    }

    /// <summary>Also as it stands in an address, with an escaped at sign.</summary>
    [GeneratedRegex(@"[^\s@""'<>()\[\]{},;:=]+(?:@|%40)[^\s@""'<>()\[\]{},;:=]+\.[A-Za-z]{2,}")]
    private static partial Regex Email();

    /// <summary>
    /// Bearer tokens, basic credentials and JWTs, provider keys and webhook secrets, client secrets, tokens of calendar feeds, keys and
    /// signatures of connection strings and signed links, passwords and tokens of forms.
    /// </summary>
    [GeneratedRegex(@"(?i:bearer)\s+[\w.~+/=-]+|(?i:authorization\W+basic)\s+[\w+/=]+|eyJ[\w-]+\.[\w-]+\.[\w-]*|\b(?:sk|rk|pk)_(?:live|test)_\w+|\bwhsec_[\w+/=]+"
        + @"|\b\w+_secret_\w+|\bfeed_[\w-]{20,}|(?i:AccountKey|SharedAccessKey|SharedAccessSignature|\bsig|password|client_secret|\w+_token)=[^;&\s""]+")]
    private static partial Regex Secret();

    [GeneratedRegex(@"(?<![\w-])\d(?:[ -]?\d){12,18}(?![\w-])")]
    private static partial Regex CardNumber();
}

/// <summary>An exception as it may be logged: type and stack of the original, and its message unless that repeats input.</summary>
internal sealed class ScrubbedException(Exception original) : Exception
{
    public override string Message { get; } = string.Create(
        CultureInfo.InvariantCulture,
        $"{original.GetType().FullName}: {LogScrubber.Message(original)}");

    public override string? StackTrace { get; } = original.StackTrace;

    public override string ToString()
    {
        string inner = original.InnerException is { } cause ? $"{Environment.NewLine} ---> {new ScrubbedException(cause)}" : string.Empty;
        return $"{Message}{inner}{Environment.NewLine}{StackTrace}";
    }
}
