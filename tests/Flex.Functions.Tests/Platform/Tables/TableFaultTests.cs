using System.Net;
using System.Text;
using Flex.Kernel;
using Flex.Platform.Tables;
using Xunit;

namespace Flex.Functions.Tests.Platform.Tables;

/// <summary>What the service does rarely or the emulator never, from a script.</summary>
public sealed class TableFaultTests
{
    private const string Emulator =
        "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=a2V5;TableEndpoint=http://127.0.0.1:1/devstoreaccount1;";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_empty_page_with_a_continuation_is_not_the_end()
    {
        var queries = new List<string>();
        AzureTableStore store = StoreOn(request =>
        {
            queries.Add(WebUtility.UrlDecode(request.RequestUri!.Query));
            HttpResponseMessage page = Json("""{"value":[]}""");
            switch (queries.Count)
            {
                case 1:
                    page.Headers.Add("x-ms-continuation-NextPartitionKey", "p1");
                    page.Headers.Add("x-ms-continuation-NextRowKey", "r1");
                    return page;
                case 2:
                    page.Content = JsonContent("""{"value":[{"odata.etag":"W/\"1\"","PartitionKey":"home01","RowKey":"D|2","Data0":"{}"}]}""");
                    page.Headers.Add("x-ms-continuation-NextPartitionKey", "p1");
                    page.Headers.Add("x-ms-continuation-NextRowKey", "r2");
                    return page;
                default:
                    page.Content = JsonContent("""{"value":[{"odata.etag":"W/\"1\"","PartitionKey":"home01","RowKey":"D|3","Data0":"{}"}]}""");
                    return page;
            }
        });

        IReadOnlyList<TableRow> rows = await store.ReadAsync("things", "home01", RowRange.Prefix("D|").After("D|1"), 10, Cancellation);

        Assert.Equal(["D|2", "D|3"], rows.Select(r => r.Key));
        Assert.Equal(3, queries.Count);
        Assert.Contains("PartitionKey eq 'home01' and RowKey gt 'D|1' and RowKey lt 'D}'", queries[0], StringComparison.Ordinal);
        Assert.Contains("NextRowKey=r2", queries[2], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(HttpStatusCode.ServiceUnavailable)]
    [InlineData(HttpStatusCode.TooManyRequests)]
    [InlineData(HttpStatusCode.InternalServerError)]
    public async Task A_busy_service_is_a_transient_fault_after_a_few_attempts(HttpStatusCode status)
    {
        int attempts = 0;
        AzureTableStore store = StoreOn(_ =>
        {
            attempts++;
            return Json("""{"odata.error":{"code":"ServerBusy"}}""", status);
        });
        using StorageCallScope calls = StorageCalls.Measure();

        await Assert.ThrowsAsync<TransientFaultException>(
            () => store.CommitAsync(new TableBatch("things", "home01").Insert("D|1", new Thing("x", 1)), Cancellation));

        Assert.Equal(4, attempts);
        Assert.Equal(1, calls.Count);
    }

    [Fact]
    public async Task An_unreachable_service_is_a_transient_fault()
    {
        AzureTableStore store = StoreOn(_ => throw new HttpRequestException("No route to host."));

        await Assert.ThrowsAsync<TransientFaultException>(() => store.FindAsync("things", "home01", "D|1", Cancellation));
    }

    [Fact]
    public async Task A_service_that_does_not_let_us_in_is_a_defect()
    {
        AzureTableStore store = StoreOn(_ => Json("""{"odata.error":{"code":"AuthorizationFailure"}}""", HttpStatusCode.Forbidden));

        DefectException defect = await Assert.ThrowsAsync<DefectException>(() => store.FindAsync("things", "home01", "D|1", Cancellation));

        Assert.Equal("Table storage refused a call: 403 AuthorizationFailure.", defect.Message);
    }

    [Fact]
    public async Task A_batch_the_service_refuses_is_invalid()
    {
        AzureTableStore store = StoreOn(_ => Json("""{"odata.error":{"code":"PropertyValueTooLarge"}}""", HttpStatusCode.BadRequest));

        CommitResult result = await store.CommitAsync(new TableBatch("things", "home01").Insert("D|1", new Thing("x", 1)), Cancellation);

        Assert.Equal((CommitKind.Invalid, "400 PropertyValueTooLarge"), (result.Kind, result.Detail));
        Assert.Throws<DefectException>(result.Require);
    }

    [Fact]
    public async Task A_table_deleted_while_the_process_runs_is_made_again_at_the_next_use()
    {
        int made = 0;
        AzureTableStore store = StoreOn(
            _ => Json("""{"odata.error":{"code":"TableNotFound"}}""", HttpStatusCode.NotFound),
            () => made++);
        for (int i = 0; i < 2; i++)
        {
            await Assert.ThrowsAsync<TransientFaultException>(
                () => store.CommitAsync(new TableBatch("things", "home01").Insert("D|1", new Thing("x", 1)), Cancellation));
        }

        Assert.Equal(2, made);
    }

    [Fact]
    public async Task A_table_is_made_once_for_many_callers()
    {
        int made = 0;
        AzureTableStore store = StoreOn(_ => Json("""{"value":[]}"""), () => made++);

        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => store.ReadAsync("things", "home01", RowRange.All, 1, Cancellation)));

        Assert.Equal(1, made);
    }

    [Fact]
    public async Task A_table_that_could_not_be_made_is_tried_again()
    {
        int made = 0;
        AzureTableStore store = StoreOn(_ => Json("""{"value":[]}"""), () =>
        {
            if (made++ == 0)
            {
                throw new InvalidOperationException("Not now.");
            }
        });

        await Assert.ThrowsAsync<InvalidOperationException>(() => store.ReadAsync("things", "home01", RowRange.All, 1, Cancellation));
        Assert.Empty(await store.ReadAsync("things", "home01", RowRange.All, 1, Cancellation));
    }

    [Fact]
    public async Task A_caller_that_gives_up_gets_its_cancellation()
    {
        AzureTableStore store = StoreOn(_ => Json("""{"value":[]}"""));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => store.ReadAsync("things", "home01", RowRange.All, 1, new CancellationToken(canceled: true)));
    }

    private static AzureTableStore StoreOn(Func<HttpRequestMessage, HttpResponseMessage> answer, Action? onMade = null)
    {
        var service = new ScriptedService(request =>
        {
            if (!request.RequestUri!.AbsolutePath.EndsWith("/Tables", StringComparison.Ordinal))
            {
                return answer(request);
            }

            onMade?.Invoke();
            return new HttpResponseMessage(HttpStatusCode.NoContent);
        });
        return TablesFeature.CreateStore(new TableOptions { ConnectionString = Emulator }, new StorageWire(service).Transport);
    }

    private static HttpResponseMessage Json(string body, HttpStatusCode status = HttpStatusCode.OK) => new(status) { Content = JsonContent(body) };

    private static StringContent JsonContent(string body) => new(body, Encoding.UTF8, "application/json");
}
