using Flex.Kernel;
using Flex.Local.Runtime.Durable;
using Flex.Local.Runtime.Faults;
using Flex.Local.Runtime.Testing;
using Flex.Memberships;
using Flex.Platform;
using Flex.Renewals;
using Flex.Tests.Shared;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.DependencyInjection;
using NodaTime;

namespace Flex.Functions.Tests.Renewals;

/// <summary>
/// Histories of renewals as instances in flight have them, one file per scenario and orchestration, one generation per line.
/// They were recorded by the code of their day and are never recorded again: what they prove is that today's code still
/// goes on where that code stopped. A file goes with the orchestration it is named after.
/// </summary>
internal static class RenewalHistories
{
    /// <summary>Set to 1, a run of the tests writes the files that are missing, e.g. those of a new version.</summary>
    public const string Record = "FLEX_RECORD_HISTORIES";

    private static readonly string Folder = Path.Combine(SourceTree.Root, "tests/Flex.Functions.Tests/Renewals/Histories");

    public static IReadOnlyDictionary<string, Func<RenewalWorld, Task>> Scenarios { get; } = new Dictionary<string, Func<RenewalWorld, Task>>
    {
        ["first-charge"] = async world =>
        {
            await world.SignUpAsync("pm_card_visa");
            await world.AdvanceToLocalAsync(new LocalDate(2025, 2, 2));
        },
        ["failed-ladder"] = async world =>
        {
            await world.SignUpAsync("pm_card_visa");
            await world.AttachAsync("pm_card_chargeCustomerFail");
            await world.AdvanceToLocalAsync(new LocalDate(2025, 2, 10));
        },
        ["new-source"] = async world =>
        {
            await world.SignUpAsync("pm_card_visa");
            await world.AttachAsync("pm_card_chargeCustomerFail");
            await world.AdvanceToLocalAsync(new LocalDate(2025, 2, 3));
            await world.AttachAsync("pm_card_visa");
            await world.AdvanceToLocalAsync(new LocalDate(2025, 2, 4));
        },
        ["unknown-outcome"] = async world =>
        {
            await world.SignUpAsync("pm_card_visa");
            await world.AdvanceToLocalAsync(new LocalDate(2025, 2, 1));
            world.World.Faults.Add(new FaultRule(FaultRegistry.Stripe, FaultKind.TimeoutAfterEffect, "POST", "payment_intents", Times: null));
            world.World.Faults.Add(new FaultRule(FaultRegistry.Webhooks, FaultKind.Drop, Times: null));
            await world.AdvanceToLocalAsync(new LocalDate(2025, 2, 2));
            world.World.Faults.Remove(null);
            await world.AdvanceToLocalAsync(new LocalDate(2025, 2, 4));
        },
        ["returned-debit"] = async world =>
        {
            await world.SignUpAsync("pm_card_visa");
            await world.AttachAsync("pm_usBankAccount_insufficientFunds");
            await world.AdvanceToLocalAsync(new LocalDate(2025, 2, 10));
        },
        ["cancelled"] = async world =>
        {
            string id = await world.SignUpAsync("pm_card_visa");
            await world.AdvanceToLocalAsync(new LocalDate(2025, 2, 1));
            var end = new LocalDate(2025, 2, 5);
            await world.CancelAsync(id, end);
            await world.World.RunUntilIdleAsync();

            // As when the message is delivered twice: the first has started another instance, the second finds it running.
            await world.World.Get<DurableTaskClient>().RaiseEventAsync(
                RenewalNames.RenewalInstance(EntityId.Parse<MembershipId>(id), end, run: 1), RenewalNames.StatusChanged, RenewalNames.StatusChanged);
            await world.AdvanceToLocalAsync(end.PlusDays(1));
        },
    };

    /// <summary>Plays a scenario with the code of today.</summary>
    public static async Task<(RenewalWorld World, IReadOnlyList<RecordedExecution> Executions)> PlayAsync(string scenario)
    {
        var recorder = new ExecutionRecorder();
        RenewalWorld world = await RenewalWorld.StartAsync(new FlexWorldOptions
        {
            Start = Instant.FromUtc(2025, 1, 1, 15, 0),
            Services = services => services.AddSingleton<IExecutionRecorder>(recorder),
        });
        await Scenarios[scenario](world);
        return (world, recorder.Executions);
    }

    /// <summary>Writes what has no file yet. The day's run repeats itself every hour: one history of each shape is kept.</summary>
    public static void Save(string scenario, IEnumerable<RecordedExecution> executions)
    {
        foreach (IGrouping<string, RecordedExecution> orchestration in executions.GroupBy(e => e.Start.Name))
        {
            string file = Path.Combine(Folder, FileOf(scenario, orchestration.Key));
            if (!File.Exists(file))
            {
                IEnumerable<RecordedExecution> kept = orchestration.Key == RenewalNames.Day ? orchestration.DistinctBy(Shape) : orchestration;
                File.WriteAllLines(file, kept.Select(StorageJson.Write));
            }
        }
    }

    public static IReadOnlyList<string> Files => [.. Directory.EnumerateFiles(Folder).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal)];

    public static string FileOf(string scenario, string orchestration) => $"{scenario}.{orchestration}.jsonl";

    public static string OrchestrationOf(string file) => file.Split('.')[1];

    public static IReadOnlyList<RecordedExecution> Read(string file) =>
        [.. File.ReadLines(Path.Combine(Folder, file)).Select(StorageJson.Read<RecordedExecution>)];

    private static string Shape(RecordedExecution execution) => string.Join(
        ';', execution.Turns.Select(t => $"{string.Join(',', t.Events.Select(e => $"{e.Kind} {e.Name}"))}>{string.Join(',', t.Actions.Select(a => $"{a.Kind} {a.Name}"))}"));
}
