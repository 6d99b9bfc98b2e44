using FluentValidation;

namespace Flex.Platform.Http;

/// <summary>Rules that many requests share.</summary>
public static class ValidationRules
{
    /// <summary>One line of text: not blank, no blanks around it, no control characters, at most <paramref name="max"/> characters.</summary>
    public static IRuleBuilderOptions<T, string> PlainText<T>(this IRuleBuilder<T, string> rule, int max) => rule
        .Must(text => text is { Length: > 0 } && text.Length <= max && text.Trim().Length == text.Length && !text.Any(char.IsControl))
        .WithMessage($"Must be 1 to {max} characters on one line, without blanks around them.");

    /// <summary>A price, or none.</summary>
    public static IRuleBuilderOptions<T, Money?> NotNegative<T>(this IRuleBuilder<T, Money?> rule) =>
        rule.Must(price => price is null or { Minor: >= 0 }).WithMessage("A price is not negative.");

    /// <summary>An address as mail programs accept it; whether it exists only a message can tell.</summary>
    public static IRuleBuilderOptions<T, string> MailAddress<T>(this IRuleBuilder<T, string> rule) => rule
        .Must(text => text is { Length: <= 254 } && !text.Any(c => char.IsControl(c) || char.IsWhiteSpace(c))
            && text.IndexOf('@', StringComparison.Ordinal) is > 0 and var at && at == text.LastIndexOf('@') && at < text.Length - 1)
        .WithMessage("Must be an e-mail address.");
}
