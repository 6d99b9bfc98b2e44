using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Flex.Local.Simulators.Stripe;
using Flex.Platform.Tables;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Flex.EndToEnd.Tests.Support;

/// <summary>An answer that is a problem document.</summary>
public sealed record Refusal(int Status, string Code, string Challenge);

/// <summary>Sending what must be refused, and telling whether anything has changed.</summary>
internal static class Refusals
{
    /// <summary>The transport's own tables: a refused commit may have queued a sweep that will find nothing.</summary>
    private static readonly string[] Transport = ["LocalQueues", "LocalTimers"];

    /// <summary>Every row of every table with its version, and how many payments the gateway knows.</summary>
    public static async Task<string> SnapshotAsync(this Space space, CancellationToken cancellation)
    {
        IServiceProvider services = space.Host.Local.Runtime.Services;
        ITableScanner tables = services.GetRequiredService<ITableScanner>();
        var text = new StringBuilder();
        foreach (string table in (await tables.TablesAsync(cancellation)).Except(Transport).Order(StringComparer.Ordinal))
        {
            await foreach (TableRow row in tables.ScanAsync(table, cancellation))
            {
                text.AppendLine($"{table} {row.Partition} {row.Key} {row.ETag}");
            }
        }

        return text.AppendLine($"{services.GetRequiredService<StripeSimulator>().Audit().PaymentIntents.Count} payments").ToString();
    }

    /// <summary>
    /// The refusal that answers the request. It must have the form and one of the codes that the API description promises for
    /// the operation.
    /// </summary>
    public static async Task<Refusal> SendAsync(this Space space, HttpRequestMessage request, CancellationToken cancellation)
    {
        using HttpResponseMessage response = await space.Host.Http.SendAsync(request, cancellation);
        string text = await response.Content.ReadAsStringAsync(cancellation);
        Assert.False(response.IsSuccessStatusCode, $"Not refused: {(int)response.StatusCode} {text}");
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        JsonObject problem = JsonNode.Parse(text)!.AsObject();
        Assert.Equal((int)response.StatusCode, (int)problem["status"]!);
        ApiDescription api = await space.DescriptionAsync(cancellation);
        if (api.Find(request.Method.Method, request.RequestUri!.OriginalString) is { } operation)
        {
            Assert.Empty(api.Schemas.Check(operation.ProblemSchema, problem));
            Assert.Contains((string)problem["code"]!, operation.ErrorCodes);
        }

        return new Refusal((int)response.StatusCode, (string)problem["code"]!, response.Headers.WwwAuthenticate.ToString());
    }
}
