using System.Diagnostics;
using System.Text;
using Flex.Tests.Shared;

namespace Flex.Infrastructure.Tests;

/// <summary>
/// Scripts of the repository in a copy of their own, with stand-ins for the programs they call. A stand-in notes how it was called and does
/// what the test said for that call; a call that the test did not foresee fails.
/// </summary>
internal sealed class Script : IDisposable
{
    private const string StandIn = """
        #!/usr/bin/env bash
        # The latest answers are looked at first. An answer is used once, the last one for ever.
        tools="${BASH_SOURCE[0]%/*}"
        call="${0##*/} $*"
        echo "$call" >>"$tools/calls"
        answers=("$tools"/answers/*)
        for ((i = ${#answers[@]} - 1; i >= 0; i--)); do
          mapfile -t lines <"${answers[i]}"
          [[ "$call" == ${lines[0]} ]] || continue
          [ "${#lines[@]}" -le 2 ] || printf '%s\n' "${lines[0]}" "${lines[@]:2}" >"${answers[i]}"
          eval "${lines[1]}"
          exit
        done
        echo "nobody expected: $call" >&2
        exit 99
        """;

    private readonly string _tools;
    private int _answers;

    /// <param name="copies">The scripts and what they read, relative to the repository.</param>
    /// <param name="tools">The programs that are stood in for.</param>
    public Script(IEnumerable<string> copies, params ReadOnlySpan<string> tools)
    {
        Root = Directory.CreateTempSubdirectory("flex-script").FullName;
        _tools = Directory.CreateDirectory(Path.Combine(Root, "tools", "answers")).Parent!.FullName;
        foreach (string copy in copies)
        {
            string to = Path.Combine(Root, copy);
            Directory.CreateDirectory(Path.GetDirectoryName(to)!);
            File.Copy(Path.Combine(SourceTree.Root, copy), to);
        }

        foreach (string tool in tools)
        {
            string path = Path.Combine(_tools, tool);
            File.WriteAllText(path, StandIn);
            if (!OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            }
        }
    }

    public string Root { get; }

    /// <summary>How the stand-ins were called, in order.</summary>
    public IReadOnlyList<string> Calls => File.Exists(Path.Combine(_tools, "calls")) ? File.ReadAllLines(Path.Combine(_tools, "calls")) : [];

    /// <summary>Writes a file below the root.</summary>
    public Script With(string path, string text)
    {
        string file = Path.Combine(Root, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text);
        return this;
    }

    public string Read(string path) => File.ReadAllText(Path.Combine(Root, path));

    /// <summary>What a stand-in does.</summary>
    /// <param name="call">Pattern of the whole call, e.g. <c>az group exists*</c>.</param>
    /// <param name="answers">A line of shell each, for the first call, the second…; the last goes on.</param>
    public Script Answers(string call, params ReadOnlySpan<string> answers)
    {
        string file = Path.Combine(_tools, "answers", $"{_answers++:d3}");
        File.WriteAllText(file, string.Concat([call, "\n", .. answers.ToArray().Select(a => a + "\n")]));
        return this;
    }

    /// <summary>Runs one of the scripts; output and errors come as one text.</summary>
    public async Task<(int ExitCode, string Output)> RunAsync(string script, string[] arguments, string input, CancellationToken cancellation)
    {
        var start = new ProcessStartInfo(Path.Combine(Root, script), arguments)
        {
            WorkingDirectory = Root,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["PATH"] = $"{_tools}:{Environment.GetEnvironmentVariable("PATH")}" },
        };
        using Process process = Process.Start(start)!;
        var output = new StringBuilder();
        process.OutputDataReceived += (_, line) => Add(line.Data);
        process.ErrorDataReceived += (_, line) => Add(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        await process.WaitForExitAsync(cancellation);
        return (process.ExitCode, output.ToString());

        void Add(string? line)
        {
            lock (output)
            {
                output.AppendLine(line);
            }
        }
    }

    public void Dispose() => Directory.Delete(Root, recursive: true);
}
