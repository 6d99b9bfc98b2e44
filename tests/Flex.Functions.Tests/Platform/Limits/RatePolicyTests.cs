using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Flex.Functions.Tests.Platform.Http;
using Flex.Kernel;
using Flex.Platform.Http;
using Flex.Platform.Limits;
using Flex.Platform.OpenApi;
using Flex.Tests.Shared;
using Microsoft.Extensions.Configuration;
using Xunit;

namespace Flex.Functions.Tests.Platform.Limits;

/// <summary>Which function has which policy, and which numbers a policy has.</summary>
public sealed partial class RatePolicyTests
{
    private static readonly FunctionCatalog Catalog = new(typeof(FlexApp).Assembly);

    /// <summary>Every function whose policy is not the default of its method.</summary>
    private static readonly Dictionary<RatePolicy, string[]> Chosen = new()
    {
        [RatePolicy.Previews] =
        [
            "Bookings_Preview", "Bookings_PreviewBulkCancel", "Bookings_PreviewChange", "Bookings_PreviewReaccount", "RecurringBookings_Preview",
            "Storefront_Preview",
        ],
        [RatePolicy.Payments] =
        [
            "BillRuns_Start", "BookingPasses_Buy", "Bookings_Pay", "Bookings_Reaccount", "Invoices_Pay", "Memberships_SignUp", "PaymentMethods_Add",
        ],
        [RatePolicy.Storefront] = ["Storefront_Book"],
        [RatePolicy.Feeds] = ["CalendarFeeds_Read"],
        [RatePolicy.Refusals] = ["Webhooks_Stripe"],
        [RatePolicy.Unlimited] = ["zz_NotFound"],
    };

    [Fact]
    public void Every_function_has_the_policy_of_its_method_or_the_one_chosen_here()
    {
        Assert.True(Catalog.Entries.Count >= 80);
        Assert.All(Catalog.Entries, entry => Assert.Equal(
            Chosen.Where(c => c.Value.Contains(entry.Name)).Select(c => (RatePolicy?)c.Key).SingleOrDefault()
                ?? (entry.Methods is ["GET"] ? RatePolicy.Reads : RatePolicy.Writes),
            entry.RatePolicy));
        Assert.Empty(Chosen.Values.SelectMany(names => names).Except(Catalog.Entries.Select(e => e.Name)));
    }

    [Fact]
    public void What_moves_money_is_limited_as_such()
    {
        FunctionEntry[] moving = [.. Catalog.Entries.Where(e => e.Operation?.IdempotencyKey == Need.Required)];

        Assert.True(moving.Length >= 6);
        Assert.All(moving, entry => Assert.True(entry.RatePolicy is RatePolicy.Payments or RatePolicy.Storefront, entry.Name));
    }

    [Fact]
    public void What_anyone_may_call_is_limited_unless_it_reads_nothing_or_is_signed()
    {
        string[] open = [.. Catalog.Entries.Where(e => e.AllowAnyone is not null && new RateLimits().Of(e.RatePolicy) is null).Select(e => e.Name)];

        Assert.Equal(["zz_NotFound"], open);
    }

    [Fact]
    public void The_description_of_every_limited_operation_names_429_and_when_to_repeat()
    {
        var document = new OpenApiDocument(Catalog);
        FunctionEntry[] limited = [.. Catalog.Entries.Where(e => !FunctionCatalog.IsCatchAll(e) && e.RatePolicy != RatePolicy.Unlimited)];

        Assert.True(limited.Length >= 80);
        Assert.All(limited.SelectMany(e => e.Methods.Select(m => (Entry: e, Method: m))), described =>
        {
            JsonNode operation = document.Root["paths"]![OpenApiDocument.PathOf(described.Entry)]![described.Method.ToLowerInvariant()]!;
            Assert.Equal("integer", (string?)operation["responses"]!["429"]!["headers"]!["Retry-After"]!["schema"]!["type"]);
            Assert.Contains(ErrorCodes.RateLimited, ((JsonArray)operation["x-error-codes"]!).Select(c => (string?)c));
        });
    }

    [Fact]
    public void The_decision_record_gives_the_numbers_of_the_code()
    {
        string record = SourceTree.Read("docs/adr/0016-rate-limits.md");

        Dictionary<string, Rate> documented = NumbersRow().Matches(record).ToDictionary(
            m => m.Groups["policy"].Value, m => new Rate(int.Parse(m.Groups["minute"].ValueSpan), int.Parse(m.Groups["burst"].ValueSpan)));

        Assert.Equal(
            Enum.GetValues<RatePolicy>().Where(p => new RateLimits().Of(p) is not null).ToDictionary(p => p.ToString(), p => new RateLimits().Of(p)!.Value),
            documented);
    }

    [Theory]
    [InlineData("0", "0", 30, 10)]
    [InlineData("5", "0", 5, 10)]
    [InlineData("0", "1", 30, 1)]
    [InlineData("1000000", "1000000", 1_000_000, 1_000_000)]
    public void A_number_that_is_set_goes_before_the_default(string perMinute, string burst, int expectedPerMinute, int expectedBurst) =>
        Assert.Equal(new Rate(expectedPerMinute, expectedBurst), Settings(perMinute, burst).Of(RatePolicy.Payments));

    [Theory]
    [InlineData("-1", "0", "RateLimits__Payments__PerMinute")]
    [InlineData("0", "1000001", "RateLimits__Payments__Burst")]
    public void A_number_out_of_range_stops_the_app_and_names_the_setting(string perMinute, string burst, string setting)
    {
        var fault = Assert.Throws<InvalidOperationException>(
            () => new FunctionHarness(settings: new() { ["RateLimits:Payments:PerMinute"] = perMinute, ["RateLimits:Payments:Burst"] = burst }));

        Assert.StartsWith(setting + " ", fault.Message, StringComparison.Ordinal);
    }

    /// <summary>The host tells the address; whatever a header says about it is the client's word.</summary>
    [Fact]
    public void No_code_of_the_app_reads_forwarded_addresses()
    {
        string[] readers =
        [
            .. SourceTree.Under("functions").Where(f => !f.Path.StartsWith("functions/Azure/", StringComparison.Ordinal) && Forwarded().IsMatch(f.Text))
                .Select(f => f.Path),
        ];

        Assert.Empty(readers);
        Assert.Matches(Forwarded(), SourceTree.Read("functions/Azure/FunctionHost.cs"));
    }

    private static RateLimits Settings(string perMinute, string burst) => new ConfigurationBuilder()
        .AddInMemoryCollection(new Dictionary<string, string?> { ["RateLimits:Payments:PerMinute"] = perMinute, ["RateLimits:Payments:Burst"] = burst })
        .Build().GetSection(RateLimits.Section).Get<RateLimits>()!;

    [GeneratedRegex(@"^\| `(?<policy>\w+)` \| (?<minute>\d+) \| (?<burst>\d+) \|", RegexOptions.Multiline)]
    private static partial Regex NumbersRow();

    [GeneratedRegex("X-?Forwarded|ForwardedHeader|X-Client-IP|X-Azure-ClientIP|X-Real-IP", RegexOptions.IgnoreCase)]
    private static partial Regex Forwarded();
}
