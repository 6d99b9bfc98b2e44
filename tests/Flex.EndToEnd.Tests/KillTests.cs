using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Flex.EndToEnd.Tests.Support;
using Flex.Local.Demo;
using Flex.Local.Runtime.Azurite;
using Flex.Local.Simulators.Stripe;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Flex.EndToEnd.Tests;

public sealed class KillTests(UndisturbedDemo undisturbed)
{
    private const int Kills = 20;

    /// <summary>A failed run is repeated with the seed it printed; the instants are the same up to the machine's mood.</summary>
    private const string SeedVariable = "FLEX_KILL_SEED";

    [Fact]
    [Trait("Rule", "MEM-2")]
    [Trait("Rule", "PAY-5")]
    public async Task Killed_at_twenty_random_instants_flex_ends_where_an_undisturbed_run_ends()
    {
        CancellationToken cancel = TestContext.Current.CancellationToken;
        DemoRun calm = await undisturbed.RunAsync();
        int seed = Environment.GetEnvironmentVariable(SeedVariable) is { } given ? int.Parse(given, CultureInfo.InvariantCulture) : Random.Shared.Next();
        TestContext.Current.TestOutputHelper?.WriteLine($"{SeedVariable}={seed}");
        var random = new Random(seed);
        using var data = new TemporaryDirectory();
        await using var killed = new KilledHost(data.Path, FlexProcess.FreePort(random));

        JsonObject state = await killed.PlayAsync(KillInstant.Choose(calm.Answers, Kills, random), cancel);
        int stopped = await killed.StopAsync(cancel);

        Assert.Equal(Kills, killed.Kills);
        Assert.Equal(0, stopped);
        Assert.True(JsonNode.DeepEquals(calm.State, state), $"Undisturbed: {calm.State}\nKilled: {state}");
        Assert.Equal(calm.Payments, UndisturbedDemo.PaymentsOf(StripeAudit.Find(data.Path)!));
        Assert.DoesNotContain(killed.Errors, line => line.StartsWith("fail:", StringComparison.Ordinal) || line.StartsWith("crit:", StringComparison.Ordinal));
        await using FlexProcess verify = FlexProcess.Start("verify", "--data", data.Path);
        int found = await verify.ExitAsync(cancel);
        Assert.True(found == 0, string.Join('\n', verify.Output.Concat(verify.Errors)));
    }

    /// <summary>An instant of the script: a while after its n-th answer.</summary>
    private readonly record struct KillInstant(int Answers, TimeSpan After)
    {
        /// <summary>The last answers are only reads; a kill after them would have nothing left to disturb.</summary>
        private const int LastAnswers = 8;

        /// <summary>
        /// Half of them uniform in time, half uniform over the requests, because most of the time passes in a few clock commands.
        /// </summary>
        public static KillInstant[] Choose(IReadOnlyList<TimeSpan> answers, int count, Random random)
        {
            int last = answers.Count - LastAnswers;
            IEnumerable<KillInstant> chosen = Enumerable.Range(0, count).Select(i =>
            {
                TimeSpan at = random.NextDouble() * answers[last];
                int n = i % 2 == 0 ? random.Next(last) : answers.TakeWhile(a => a < at).Count();
                TimeSpan from = n == 0 ? TimeSpan.Zero : answers[n - 1];
                return new KillInstant(n, (answers[n] - from) * random.NextDouble());
            });
            return [.. chosen.OrderBy(k => k.Answers).ThenBy(k => k.After)];
        }
    }

    /// <summary>A host that is killed and restarted on its port and data while the script plays against it.</summary>
    private sealed class KilledHost(string data, int port) : IAsyncDisposable
    {
        private readonly Stopwatch _up = new();
        private readonly List<string> _errors = [];
        private readonly Lock _lock = new();
        private FlexProcess? _flex;
        private int _answers;
        private TimeSpan _lastAnswer;
        private TaskCompletionSource _answered = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public int Kills { get; private set; }

        public IReadOnlyList<string> Errors => _errors;

        public async Task<JsonObject> PlayAsync(IEnumerable<KillInstant> instants, CancellationToken cancellation)
        {
            using var progress = new ProgressHandler();
            progress.Answered += NoteAnswer;
            using var http = new HttpClient(progress) { BaseAddress = new Uri($"http://127.0.0.1:{port}"), Timeout = TimeSpan.FromMinutes(10) };
            var client = new FlexClient(http, TimeProvider.System) { Patience = TimeSpan.FromMinutes(10) };
            await StartAsync(cancellation);
            Task<JsonObject> script = new DemoScript(client, new SilentDisplay()).PlayAsync(cancellation);
            foreach (KillInstant instant in instants)
            {
                await ReachAsync(instant, script);
                if (script.IsCompleted)
                {
                    break;
                }

                TestContext.Current.TestOutputHelper?.WriteLine($"Killed {instant.After.TotalMilliseconds:F0} ms after answer {instant.Answers}.");
                await KillAsync();
                await StartAsync(cancellation);
            }

            return await script;
        }

        public async Task<int> StopAsync(CancellationToken cancellation)
        {
            int exit = await _flex!.StopAsync(cancellation);
            _errors.AddRange(_flex.Errors);
            return exit;
        }

        public async ValueTask DisposeAsync()
        {
            if (_flex is not null)
            {
                await _flex.DisposeAsync();
            }

            await AzuriteProcess.StopAbandonedAsync(Path.Combine(data, "azurite"), NullLogger.Instance, CancellationToken.None);
        }

        private async Task StartAsync(CancellationToken cancellation)
        {
            _flex = await FlexProcess.ServeAsync(port, data, cancellation);
            _up.Start();
        }

        private async Task KillAsync()
        {
            _up.Stop();
            await _flex!.KillAsync();
            _errors.AddRange(_flex.Errors);
            await _flex.DisposeAsync();
            Kills++;
        }

        /// <summary>
        /// Waits for the instant, in the time the host is up. The answer after it ends the wait as well, so that a machine that
        /// is faster this time is still killed as often.
        /// </summary>
        private async Task ReachAsync(KillInstant instant, Task script)
        {
            while (!script.IsCompleted)
            {
                Task answered;
                TimeSpan wait;
                lock (_lock)
                {
                    if (_answers > instant.Answers)
                    {
                        return;
                    }

                    answered = _answered.Task;
                    wait = _answers < instant.Answers ? Timeout.InfiniteTimeSpan : _lastAnswer + instant.After - _up.Elapsed;
                }

                if (wait <= TimeSpan.Zero && wait != Timeout.InfiniteTimeSpan)
                {
                    return;
                }

                await Task.WhenAny(script, answered, Task.Delay(wait, CancellationToken.None));
            }
        }

        private void NoteAnswer()
        {
            lock (_lock)
            {
                _answers++;
                _lastAnswer = _up.Elapsed;
                _answered.SetResult();
                _answered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }
        }
    }
}
