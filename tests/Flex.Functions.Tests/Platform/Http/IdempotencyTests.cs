using Flex.Kernel;
using Flex.Platform.Http;
using Flex.Platform.Identity;
using Flex.Platform.Tables;
using Microsoft.Extensions.DependencyInjection;
using NodaTime;
using Xunit;

namespace Flex.Functions.Tests.Platform.Http;

public sealed class IdempotencyTests : IDisposable
{
    private const string Body =
        """{"name":"Zoë","price":{"amount":"14.98","currency":"cad"},"startsAt":"2025-01-01T04:00:00-05:00","day":"2025-01-31","kind":"plain","lines":[]}""";

    private static readonly Instant Now = Instant.FromUtc(2025, 1, 1, 0, 0);
    private readonly Dictionary<string, IdempotencyRow> _rows = [];
    private readonly ProbeBehaviour _probe = new();
    private readonly FunctionHarness _app;
    private int _effects;

    public IdempotencyTests()
    {
        _app = new FunctionHarness(s => s.AddSingleton(_probe));
        _probe.Create = (request, context) =>
        {
            if (context.Idempotency is { } key && _rows.TryGetValue(key.RowKey, out IdempotencyRow? row))
            {
                return Idempotency.Judge<ProbeView>(row, key);
            }

            ProbeView view = ProbeBehaviour.View(request) with { Note = $"effect {++_effects}" };
            TableBatch batch = new TableBatch("Probes", "p").Remember(context, view, Now);
            foreach (TableOperation operation in batch.Operations)
            {
                _rows.Add(operation.Key, Flex.Platform.StorageJson.Read<IdempotencyRow>(operation.Data!));
            }

            return view;
        };
    }

    public void Dispose() => _app.Dispose();

    [Fact]
    public async Task A_repeat_gets_the_first_answer_byte_for_byte_and_changes_nothing()
    {
        Answer first = await PostAsync(Body, "key-1");
        Answer repeat = await PostAsync(Body, "key-1");

        Assert.Equal(1, _effects);
        Assert.Equal(first.Body, repeat.Body);
        Assert.Equal(
            (201, first.Headers.Location.ToString(), first.Headers.ETag.ToString()),
            (repeat.Status, repeat.Headers.Location.ToString(), repeat.Headers.ETag.ToString()));
        Assert.Equal("true", repeat.Headers["Idempotency-Replayed"]);
        Assert.Equal(0, first.Headers["Idempotency-Replayed"].Count);
    }

    [Fact]
    public async Task The_same_key_with_another_body_is_refused()
    {
        await PostAsync(Body, "key-1");

        Answer other = await PostAsync(Body.Replace("14.98", "14.99", StringComparison.Ordinal), "key-1");

        Assert.Equal((422, "idempotency_key_reuse"), (other.Status, other.Code));
        Assert.Equal(1, _effects);
    }

    [Fact]
    public async Task Another_key_or_none_is_another_request()
    {
        await PostAsync(Body, "key-1");
        await PostAsync(Body, "key-2");
        await PostAsync(Body, null);

        Assert.Equal((3, 2), (_effects, _rows.Count));
    }

    [Fact]
    public void Keys_of_other_callers_and_paths_are_other_rows_and_always_valid_table_keys()
    {
        string[] keys =
        [
            new RequestKey("a POST /x", "k", "h").RowKey,
            new RequestKey("b POST /x", "k", "h").RowKey,
            new RequestKey("a POST /y", "k", "h").RowKey,
            new RequestKey("a POST /x", "/\\#?", "h").RowKey,
        ];

        Assert.Equal(keys.Length, keys.Distinct().Count());
        Assert.All(keys, k => Assert.Matches("^K\\|[0-9a-f]{64}$", k));
    }

    private Task<Answer> PostAsync(string body, string? key) =>
        _app.SendAsync("Probe_Create", "POST", "/api/v1/probes", body, key is null ? [] : [("Idempotency-Key", key)]);
}
