using System.Globalization;
using Spectre.Console;

namespace Flex.Benchmarks;

/// <summary>One line of the table.</summary>
/// <param name="Beside">What the value is to be read with.</param>
/// <param name="Holds">False when a count or ratio is out of its budget, which fails the run.</param>
internal sealed record Line(string Area, string Measure, string Value, string Beside, bool Holds = true);

/// <summary>Collects lines and prints them once, as a table on a terminal and as aligned text elsewhere.</summary>
internal sealed class Report
{
    private const string Caveat =
        "Speeds are of this machine at this hour: client, Flex and Azurite share its cores. Compare ratios and counts, not seconds, across machines.";

    private readonly List<Line> _lines = [];

    public bool Holds => _lines.TrueForAll(l => l.Holds);

    public void Add(string area, string measure, string value, string beside, bool holds = true) => _lines.Add(new Line(area, measure, value, beside, holds));

    /// <summary>What is going on, on the error output: the table stays the only output.</summary>
    public static void Progress(string text) => Console.Error.WriteLine(text);

    public static string Number(double value) => value switch
    {
        >= 100 => value.ToString("N0", CultureInfo.InvariantCulture),
        >= 10 => value.ToString("N1", CultureInfo.InvariantCulture),
        _ => value.ToString("N2", CultureInfo.InvariantCulture),
    };

    public void Print()
    {
        if (Console.IsOutputRedirected)
        {
            PrintPlain();
        }
        else
        {
            PrintTable();
        }
    }

    private void PrintTable()
    {
        Table table = new Table().RoundedBorder().AddColumn("Area").AddColumn("Measure").AddColumn(new TableColumn("Value").RightAligned()).AddColumn("Beside");
        string area = string.Empty;
        foreach (Line line in _lines)
        {
            if (area.Length > 0 && area != line.Area)
            {
                table.AddEmptyRow();
            }

            table.AddRow(
                new Text(area == line.Area ? string.Empty : line.Area, new Style(Color.Blue)),
                new Text(line.Measure),
                new Text(line.Value, new Style(line.Holds ? Color.Green : Color.Red)),
                new Text(Verdict(line)));
            area = line.Area;
        }

        AnsiConsole.Write(table);
        AnsiConsole.MarkupLineInterpolated($"[grey]{Caveat}[/]");
    }

    private void PrintPlain()
    {
        int area = _lines.Max(l => l.Area.Length);
        int measure = _lines.Max(l => l.Measure.Length);
        int value = _lines.Max(l => l.Value.Length);
        foreach (Line line in _lines)
        {
            Console.WriteLine($"{line.Area.PadRight(area)}  {line.Measure.PadRight(measure)}  {line.Value.PadLeft(value)}  {Verdict(line)}".TrimEnd());
        }

        Console.WriteLine(Caveat);
    }

    private static string Verdict(Line line) => line.Holds ? line.Beside : line.Beside + "  <- OUT OF BUDGET";
}
