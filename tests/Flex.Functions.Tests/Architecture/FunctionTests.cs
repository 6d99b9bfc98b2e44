using System.Reflection;
using System.Text.RegularExpressions;
using Flex.Local.Runtime.Testing;
using Flex.Platform.Http;
using Flex.Platform.Identity;
using Flex.Platform.Messaging;
using Flex.Platform.Telemetry;
using Flex.Tests.Shared;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Flex.Functions.Tests.Architecture;

/// <summary>Rules about the app's functions as a whole.</summary>
public sealed partial class FunctionTests
{
    private static readonly MethodInfo[] Functions =
        [.. typeof(FlexApp).Assembly.GetTypes().SelectMany(t => t.GetMethods()).Where(m => m.GetCustomAttribute<FunctionAttribute>() is not null)];

    [Fact]
    public void Every_queue_has_exactly_one_consumer()
    {
        string[] consumed = [.. Functions.SelectMany(m => m.GetParameters()).Select(p => p.GetCustomAttribute<ServiceBusTriggerAttribute>()?.QueueName).OfType<string>()];

        Assert.NotEmpty(Queues.All);
        Assert.Equal(Queues.All.Order(StringComparer.Ordinal), consumed.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Messages_are_settled_in_one_place()
    {
        // The dead letters of Service Bus are settled outside of any function.
        string[] settling = [.. SourceTree.Under("functions").Where(f => Settling().IsMatch(f.Code)).Select(f => f.Path)];

        Assert.Equal(["functions/Azure/ServiceBusDeadLetters.cs", "functions/Platform/Messaging/QueueConsumer.cs"], settling);
    }

    [Fact]
    public async Task Every_message_has_one_handler_on_a_queue_that_exists()
    {
        await using FlexWorld world = await FlexWorld.StartAsync();
        IMessageHandler[] handlers = [.. world.Services.GetServices<IMessageHandler>()];

        Type[] written = [.. typeof(FlexApp).Assembly.GetTypes().Where(t => t.IsAssignableTo(typeof(IMessageHandler)) && t is { IsAbstract: false, IsInterface: false })];
        Assert.NotEmpty(written);
        Assert.Equal(written.Select(t => t.FullName).Order(StringComparer.Ordinal), handlers.Select(h => h.GetType().FullName).Order(StringComparer.Ordinal));
        Assert.All(handlers, h => Assert.Contains(h.Queue, Queues.All));
        Assert.Equal(handlers.Length, handlers.DistinctBy(h => (h.Queue, h.Subject)).Count());
        Assert.All(handlers, h => Assert.Matches(@"^[a-z-]+\.[a-z-]+\.v[0-9]+$", h.Subject));
    }

    [Fact]
    public void Every_HTTP_function_says_who_may_call_it_and_what_it_does()
    {
        MethodInfo[] http = [.. Functions.Where(m => m.GetParameters().Any(p => p.GetCustomAttribute<HttpTriggerAttribute>() is not null))];

        Assert.True(http.Length > 20);
        Assert.Empty(http.Where(m => m.GetCustomAttribute<AllowAttribute>() is null && m.GetCustomAttribute<AllowAnyoneAttribute>() is null).Select(m => m.Name));
        Assert.Empty(http.Where(m => m.GetCustomAttribute<OperationAttribute>() is null && m.Name != "Any").Select(m => m.Name));
    }

    [Fact]
    public void Functions_are_public_methods_of_top_level_classes_with_names_of_their_own()
    {
        Assert.Empty(Functions.Where(m => m.DeclaringType!.IsNested || !m.DeclaringType.IsPublic).Select(m => m.Name));
        Assert.Equal(Functions.Length, Functions.Select(m => m.GetCustomAttribute<FunctionAttribute>()!.Name).Distinct(StringComparer.OrdinalIgnoreCase).Count());
    }

    [Fact]
    public void An_orchestrator_waits_for_durable_things_only()
    {
        SourceTree.SourceFile[] orchestrations = [.. SourceTree.Under("functions").Where(f => f.Code.Contains("[OrchestrationTrigger]", StringComparison.Ordinal))];

        Assert.NotEmpty(orchestrations);
        Assert.All(orchestrations, f => Assert.Empty(f.Matching(NotDurable())));
        Assert.Matches(NotDurable(), "await stop.CancelAsync();");
    }

    [Fact]
    public void The_exporter_listens_to_every_meter_there_is()
    {
        string[] meters = [.. SourceTree.Under("functions").SelectMany(f => MeterName().Matches(f.Text).Select(m => m.Groups["name"].Value))];

        Assert.True(meters.Length >= 4);
        Assert.All(meters, name => Assert.StartsWith(FlexTelemetry.FeatureMeters.TrimEnd('*'), name, StringComparison.Ordinal));
        Assert.Contains(SourceTree.Under("functions/Platform/Telemetry"), f => f.Code.Contains("AddMeter(FlexTelemetry.Name, FlexTelemetry.FeatureMeters", StringComparison.Ordinal));
    }

    /// <summary><c>CancelAsync</c> continues on the thread pool; the rest waits for a clock or a thread that no replay has.</summary>
    [GeneratedRegex(@"\b(CancelAsync|Task\.Run|Task\.Delay|ConfigureAwait|Thread|ILogger|TimeProvider|HttpClient|ITableStore|IIdSource)\b")]
    private static partial Regex NotDurable();

    [GeneratedRegex(@"\b(Complete|Abandon|DeadLetter|Defer)MessageAsync\b")]
    private static partial Regex Settling();

    [GeneratedRegex("const string MeterName = \"(?<name>[^\"]+)\"")]
    private static partial Regex MeterName();
}
