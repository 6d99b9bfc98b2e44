using System.Diagnostics.Metrics;
using Flex.Local.Runtime.Durable;
using Flex.Local.Runtime.Functions;
using Flex.Local.Runtime.Queueing;
using Flex.Local.Runtime.Storage;
using Flex.Payments;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Middleware;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http;
using NodaTime;

namespace Flex.Benchmarks.Cost;

/// <summary>Counts what a world does that would be paid for: every function it runs, whatever started it, and what that asks for.</summary>
internal sealed class WorkRecorder : IExecutionRecorder, IDisposable
{
    private static readonly AsyncLocal<WorkRecorder?> Current = new();

    private readonly MeterListener _storage = new();
    private Work _work = Work.None;
    private Work _timers = Work.None;

    public WorkRecorder()
    {
        _storage.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == StorageCalls.MeterName)
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _storage.SetMeasurementEventCallback<long>((_, calls, tags, _) =>
        {
            // Other worlds of the process count on their own.
            if (Current.Value == this)
            {
                _work += (string?)tags[0].Value == "blob" ? new Work { BlobCalls = calls } : new Work { TableCalls = calls };
            }
        });
        _storage.Start();
    }

    /// <summary>Puts the counting around a world's functions.</summary>
    public void Attach(IServiceCollection services)
    {
        services.AddSingleton(new Middleware(this));
        services.AddSingleton(new FunctionPipeline([typeof(Middleware), .. FlexApp.Middleware]));
        services.AddSingleton<IExecutionRecorder>(this);
        services.AddSingleton<IMessagePublisher>(s => new Publisher(this, s.GetRequiredService<LocalQueues>()));
        services.AddSingleton<IHttpMessageHandlerBuilderFilter>(new Outgoing(this));
    }

    /// <summary>What was done since the last time, without the growth of the store.</summary>
    /// <param name="timers">False leaves out the runs of timers themselves, which come whatever is done.</param>
    public Work Take(bool timers)
    {
        Work work = timers ? _work : _work - _timers;
        (_work, _timers) = (Work.None, Work.None);
        return work;
    }

    /// <summary>Rows and bytes of a store, without those of the local queues, timers and task hub.</summary>
    public static async Task<Work> StoredAsync(MemoryTableStore tables, CancellationToken cancellation)
    {
        (long rows, long chars) = (0, 0);
        foreach (string table in (await tables.TablesAsync(cancellation)).Where(t => !t.StartsWith("Local", StringComparison.Ordinal) && !t.StartsWith("hub", StringComparison.Ordinal)))
        {
            await foreach (TableRow row in tables.ScanAsync(table, cancellation))
            {
                rows++;
                chars += row.Partition.Length + row.Key.Length + row.Data.Length;
            }
        }

        return new Work { Rows = rows, Bytes = 2 * chars };
    }

    /// <summary>Orchestrators and activities are counted here and not as functions: a replay on one machine is not one more turn.</summary>
    public void Ended(RecordedExecution execution)
    {
        int activities = execution.Turns.Sum(t => t.Actions.Count(a => a.Kind == HubActionKind.Activity));
        int reached = execution.Turns.Sum(t => t.Events.Count) - execution.Start.Carried.Count;
        int turns = execution.Turns.Count;
        _work += new Work
        {
            Executions = new Dictionary<string, decimal> { [Work.Durable] = turns + activities },
            Actions = 1 + activities + reached,
            Turns = turns,
        };
    }

    public void Dispose() => _storage.Dispose();

    private async Task RunAsync(FunctionDescriptor function, Func<Task> run)
    {
        Current.Value = this;
        Work before = _work;
        await run();
        _work += function.Trigger switch
        {
            HttpFunctionTrigger => Once(Work.Http),
            TimerFunctionTrigger => Once(function.Name),
            QueueFunctionTrigger => Once(function.Name) with { Delivered = 1 },
            _ => Work.None,
        };
        if (function.Trigger is TimerFunctionTrigger)
        {
            _timers += _work - before;
        }
    }

    private static Work Once(string group) => new() { Executions = new Dictionary<string, decimal> { [group] = 1 } };

    private sealed class Middleware(WorkRecorder recorder) : IFunctionsWorkerMiddleware
    {
        public Task Invoke(FunctionContext context, FunctionExecutionDelegate next) =>
            recorder.RunAsync(context.InstanceServices.GetRequiredService<FunctionCatalogue>().Find(context.FunctionDefinition.Name)!, () => next(context));
    }

    private sealed class Publisher(WorkRecorder recorder, IMessagePublisher inner) : IMessagePublisher
    {
        public Task PublishAsync(string queue, Envelope message, Duration? delay, CancellationToken cancellation)
        {
            recorder._work += new Work { Sent = 1 };
            return inner.PublishAsync(queue, message, delay, cancellation);
        }
    }

    private sealed class Outgoing(WorkRecorder recorder) : IHttpMessageHandlerBuilderFilter
    {
        public Action<HttpMessageHandlerBuilder> Configure(Action<HttpMessageHandlerBuilder> next) => builder =>
        {
            next(builder);
            if (builder.Name == StripeGateway.HttpClientName)
            {
                builder.AdditionalHandlers.Add(new Counting(recorder));
            }
        };

        private sealed class Counting(WorkRecorder recorder) : DelegatingHandler
        {
            protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
            {
                recorder._work += new Work { StripeCalls = 1 };
                return base.SendAsync(request, cancellationToken);
            }
        }
    }
}
