using System.Reflection;
using System.Text.RegularExpressions;
using Flex.Platform.Http;
using Flex.Tests.Shared;
using Microsoft.Azure.Functions.Worker;
using Xunit;

namespace Flex.Functions.Tests.Architecture;

/// <summary>What a caller cannot make the app do: connect to an address of theirs, read without bounds, write a spreadsheet's formulas.</summary>
public sealed partial class ExposureTests
{
    /// <summary>Every place that opens connections, and where it has the address from. Nothing but settings.</summary>
    private static readonly Dictionary<string, string> Outgoing = new(StringComparer.Ordinal)
    {
        ["functions/Access/SaltoClient.cs"] = "new Uri(options.ApiUrl",
        ["functions/Access/SaltoSession.cs"] = "options.IdentityUrl",
        ["functions/Azure/ServiceBusDeadLetters.cs"] = "ServiceBusDeadLetters(ServiceBusClient client)",
        ["functions/Azure/ServiceBusFeature.cs"] = "settings.FullyQualifiedNamespace",
        ["functions/Azure/ServiceBusPublisher.cs"] = "ServiceBusPublisher(ServiceBusClient client",
        ["functions/Azure/ServiceBusReadiness.cs"] = "ServiceBusReadiness(ServiceBusClient client)",
        ["functions/Payments/StripeGateway.cs"] = "_settings.ApiBase",
        ["functions/Platform/Blobs/AzureBlobStore.cs"] = "AzureBlobStore(BlobServiceClient",
        ["functions/Platform/Blobs/BlobsFeature.cs"] = "options.ServiceUri",
        ["functions/Platform/Identity/IdentityRegistration.cs"] = "GetRequiredService<AuthSettings>()",
        ["functions/Platform/Identity/IssuerKeys.cs"] = "Settings.Authority",
        ["functions/Platform/Mail/SmtpMailer.cs"] = "settings.Host",
        ["functions/Platform/Resilience/FlexHttpClients.cs"] = "AddHttpClient(name",
        ["functions/Platform/Tables/AzureTableStore.cs"] = "AzureTableStore(TableServiceClient",
        ["functions/Platform/Tables/TablesFeature.cs"] = "options.ServiceUri",
    };

    [Fact]
    public void Connections_are_opened_in_these_places_only_and_to_addresses_of_the_settings()
    {
        SourceTree.SourceFile[] opening = [.. SourceTree.Under("functions").Where(f => Connection().IsMatch(f.Code))];

        Assert.Equal(Outgoing.Keys.Order(StringComparer.Ordinal), opening.Select(f => f.Path));
        Assert.All(opening, f => Assert.Contains(Outgoing[f.Path], f.Text, StringComparison.Ordinal));
    }

    /// <summary>Our own answers may have addresses; what is asked for never does, so there is none to fetch.</summary>
    [Fact]
    public void No_request_has_an_address_in_it()
    {
        OperationAttribute[] operations = [.. typeof(FlexApp).Assembly.GetTypes().SelectMany(t => t.GetMethods())
            .Where(m => m.GetCustomAttribute<FunctionAttribute>() is not null)
            .Select(m => m.GetCustomAttribute<OperationAttribute>()).OfType<OperationAttribute>()];
        (string Name, Type Type)[] members = [.. operations.SelectMany(o => new[] { o.Body, o.Query }).OfType<Type>().Distinct().SelectMany(t => Members(t, []))];

        Assert.True(members.Length > 100);
        Assert.DoesNotContain(members, m => m.Type == typeof(Uri) || Address().IsMatch(m.Name));
        Assert.Matches(Address(), "ReturnUrl");
    }

    [Fact]
    public void A_body_is_read_in_the_one_place_that_bounds_it()
    {
        string[] readers = [.. SourceTree.Under("functions").Where(f => BodyRead().IsMatch(f.Code)).Select(f => f.Path)];

        Assert.Equal(["functions/Platform/Http/RequestBody.cs"], readers);
    }

    /// <summary>
    /// A text that starts with = + - or @ is a formula to a spreadsheet. None is written; the first writer of such files has to disarm
    /// them, and takes this test's place.
    /// </summary>
    [Fact]
    public void No_spreadsheet_is_written()
    {
        Assert.DoesNotContain(SourceTree.Under("functions"), f => Spreadsheet().IsMatch(f.Text));
        Assert.DoesNotContain("CsvHelper", SourceTree.Read("functions/Flex.Functions.csproj"), StringComparison.Ordinal);
        Assert.Matches(Spreadsheet(), "Results.Text(lines, \"text/csv\")");
    }

    private static IEnumerable<(string Name, Type Type)> Members(Type type, HashSet<Type> seen)
    {
        if (type.IsArray || (type.IsGenericType && type.GetGenericTypeDefinition() != typeof(Nullable<>)))
        {
            return (type.IsArray ? [type.GetElementType()!] : type.GetGenericArguments()).SelectMany(item => Members(item, seen));
        }

        return type.Assembly == typeof(FlexApp).Assembly && seen.Add(type)
            ? type.GetProperties(BindingFlags.Public | BindingFlags.Instance).SelectMany(p => Members(p.PropertyType, seen).Prepend((p.Name, p.PropertyType)))
            : [];
    }

    [GeneratedRegex(@"\b(HttpClient|IHttpClientFactory|HttpDocumentRetriever|SmtpClient|TcpClient|Socket|WebRequest|StripeClient|ServiceBusClient|BlobServiceClient|TableServiceClient)\b|\bnew (?:Uri|BlobClient|TableClient)\(options\.")]
    private static partial Regex Connection();

    [GeneratedRegex("(?:Ur[il]|Href|Link|Endpoint|Host|Callback)$")]
    private static partial Regex Address();

    [GeneratedRegex(@"equest\.(?:Body|BodyReader|Form)\b|ReadFormAsync|equest\.ReadFromJsonAsync")]
    private static partial Regex BodyRead();

    [GeneratedRegex(@"\bcsv\b|\bxlsx?\b|CsvHelper|spreadsheet", RegexOptions.IgnoreCase)]
    private static partial Regex Spreadsheet();
}
