using Flex.Local.Cli;
using NodaTime;
using Xunit;

namespace Flex.Local.Tests.Hosting;

public sealed class CommandLineTests
{
    private static readonly CommandOption[] Options =
    [
        new("port", "PORT", "A port."),
        new("clock", "TIME", "A time."),
        new("fast", null, "A switch."),
        new("kind", "KIND", "A choice."),
    ];

    [Fact]
    public void Options_are_read_in_both_forms()
    {
        CommandArguments parsed = CommandArguments.Parse(Options, ["--port", "80", "--clock=2025-01-01T00:00:00Z", "--fast"]);

        Assert.Equal(80, parsed.Number("port", 0, 65535, 1));
        Assert.Equal(Instant.FromUtc(2025, 1, 1, 0, 0), parsed.Instant("clock"));
        Assert.True(parsed.Has("fast"));
        Assert.Equal("a", parsed.Choice("kind", "a", "b"));
    }

    [Theory]
    [InlineData("--nonsense")]
    [InlineData("port")]
    [InlineData("--port")]
    [InlineData("--fast=yes")]
    [InlineData("--port", "1", "--port", "2")]
    [InlineData("--port", "70000")]
    [InlineData("--port", "-1")]
    [InlineData("--clock", "tomorrow")]
    [InlineData("--kind", "c")]
    public void What_is_not_understood_is_refused(params string[] args)
    {
        Assert.Throws<CommandArgumentException>(() =>
        {
            CommandArguments parsed = CommandArguments.Parse(Options, args);
            parsed.Number("port", 0, 65535, 1);
            parsed.Instant("clock");
            parsed.Choice("kind", "a", "b");
        });
    }

    [Theory]
    [InlineData(2, "fly")]
    [InlineData(2, "run", "--nonsense")]
    [InlineData(2, "run", "--storage", "tape")]
    [InlineData(2, "verify", "--data", "/nowhere")]
    [InlineData(2, "verify", "--tables", "http://flexprod.table.core.windows.net")]
    [InlineData(2, "verify", "--tables", "https://flexprod.table.core.windows.net", "--data", "/")]
    [InlineData(2, "verify", "--tables", "https://flexprod.table.core.windows.net", "--prefix", "1x")]
    [InlineData(2, "export")]
    [InlineData(2, "restore", "--data", "/nowhere")]
    [InlineData(2, "restore", "--from", "/nowhere")]
    [InlineData(2, "restore", "--from", "/nowhere", "--tables", "https://flexprod.table.core.windows.net")]
    [InlineData(2, "restore", "--from", "http://flexprod.blob.core.windows.net", "--tables", "https://flexprod.table.core.windows.net")]
    [InlineData(2, "restore", "--from", "/tmp", "--data", "/nowhere", "--tables", "https://flexprod.table.core.windows.net")]
    [InlineData(0, "run", "--help")]
    [InlineData(0, "--help")]
    public async Task The_exit_code_says_whether_the_command_line_was_understood(int expected, params string[] args) =>
        Assert.Equal(expected, await CommandTable.RunAsync(args));

    [Fact]
    public void Every_command_explains_itself()
    {
        Assert.NotEmpty(CommandTable.Commands);
        Assert.All(CommandTable.Commands, c => Assert.EndsWith(".", c.Summary, StringComparison.Ordinal));
        Assert.Equal(CommandTable.Commands.Count, CommandTable.Commands.Select(c => c.Name).Distinct().Count());
    }
}
