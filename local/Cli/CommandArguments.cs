using System.Globalization;
using NodaTime;
using NodaTime.Text;

namespace Flex.Local.Cli;

/// <summary>The options of one call: <c>--name value</c>, <c>--name=value</c>, <c>--switch</c>.</summary>
public sealed class CommandArguments
{
    private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);

    /// <exception cref="CommandArgumentException">An option is unknown, given twice, or lacks its value.</exception>
    public static CommandArguments Parse(IReadOnlyList<CommandOption> options, IReadOnlyList<string> args)
    {
        var parsed = new CommandArguments();
        for (int i = 0; i < args.Count; i++)
        {
            string[] parts = args[i].Split('=', 2);
            CommandOption option = options.FirstOrDefault(o => "--" + o.Name == parts[0])
                ?? throw new CommandArgumentException($"'{args[i]}' is not an option here.");
            string value = option.Value is null
                ? parts.Length == 1 ? string.Empty : throw new CommandArgumentException($"--{option.Name} takes no value.")
                : parts.Length == 2 ? parts[1] : ++i < args.Count ? args[i] : throw new CommandArgumentException($"--{option.Name} needs a {option.Value}.");
            if (!parsed._values.TryAdd(option.Name, value))
            {
                throw new CommandArgumentException($"--{option.Name} is given twice.");
            }
        }

        return parsed;
    }

    public bool Has(string name) => _values.ContainsKey(name);

    public string? Text(string name) => _values.GetValueOrDefault(name);

    public int Number(string name, int least, int most, int otherwise) => Text(name) switch
    {
        null => otherwise,
        { } text when int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number >= least && number <= most => number,
        _ => throw new CommandArgumentException($"--{name} is a number from {least} to {most}."),
    };

    public Instant? Instant(string name) => Text(name) is not { } text
        ? null
        : InstantPattern.ExtendedIso.Parse(text) is { Success: true } parsed
            ? parsed.Value
            : throw new CommandArgumentException($"--{name} is a time in UTC such as 2025-01-01T00:00:00Z.");

    /// <param name="choices">The first is the default.</param>
    public string Choice(string name, params ReadOnlySpan<string> choices)
    {
        string value = Text(name) ?? choices[0];
        return choices.Contains(value) ? value : throw new CommandArgumentException($"--{name} is one of {string.Join(", ", choices!)}.");
    }
}

/// <summary>The command line was used wrongly; the message is one sentence.</summary>
public sealed class CommandArgumentException(string message) : Exception(message);
