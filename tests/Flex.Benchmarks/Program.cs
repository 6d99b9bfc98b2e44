using Flex.Benchmarks;
using Flex.Benchmarks.Cost;
using Flex.Local.Cli;
using Flex.Local.Runtime.Hosting;

if (args is not [CostCommand.Name, ..] && args.Any(a => a is "--help" or "-h"))
{
    Console.WriteLine("Usage: ./flex bench [OPTIONS]");
    Console.WriteLine();
    Console.WriteLine("Measures bookings, webhooks, start-up, simulated months and storage calls, beside Azurite's own speed.");
    Console.WriteLine("Fails when a count is out of its budget or a month grows worse than linearly.");
    Console.WriteLine();
    foreach (CommandOption option in BenchOptions.Described)
    {
        Console.WriteLine($"  {($"--{option.Name} {option.Value}").TrimEnd(),-24} {option.Help}");
    }

    return 0;
}

using var stopping = new CancellationTokenSource();
Console.CancelKeyPress += (_, press) =>
{
    press.Cancel = !stopping.IsCancellationRequested;
    stopping.Cancel();
};
try
{
    if (args is [CostCommand.Name, ..])
    {
        return await CostCommand.RunAsync(args[1..], stopping.Token);
    }

    BenchOptions options = BenchOptions.Parse(args);
    var report = new Report();
    if (options.Wants("bookings") || options.Wants("webhooks"))
    {
        await HttpBench.RunAsync(options, report, stopping.Token);
    }

    if (options.Wants("startup"))
    {
        await StartUpBench.RunAsync(options, report, stopping.Token);
    }

    if (options.Wants("month"))
    {
        await MonthBench.RunAsync(options, report, stopping.Token);
    }

    if (options.Wants("calls"))
    {
        await CallBench.RunAsync(report, stopping.Token);
    }

    report.Print();
    return report.Holds ? 0 : 1;
}
catch (CommandArgumentException wrong)
{
    Console.Error.WriteLine($"flex: {wrong.Message} ./flex {(args is [CostCommand.Name, ..] ? CostCommand.Name : "bench")} --help tells more.");
    return CommandTable.Usage;
}
catch (LocalHostException refused)
{
    Console.Error.WriteLine("flex: " + refused.Message);
    return 1;
}
catch (OperationCanceledException) when (stopping.IsCancellationRequested)
{
    Console.Error.WriteLine("flex: Stopped.");
    return 1;
}
