using System.Text.Json;
using System.Text.Json.Nodes;
using Flex.Local.Simulators.Stripe;
using Xunit;

namespace Flex.Local.Tests.Stripe;

/// <summary>The simulator's objects carry every field of Stripe's published sample objects, with a compatible type.</summary>
public sealed class StripeSampleTests : IDisposable
{
    private static readonly JsonObject Samples = Load();
    private readonly StripeTestWorld world = new();

    public void Dispose() => world.Dispose();

    [Fact]
    public void Every_object_has_the_fields_of_its_sample()
    {
        var seen = new Dictionary<string, List<JsonObject>>();
        foreach (JsonObject item in Everything())
        {
            string kind = ((bool?)item["deleted"] == true ? "deleted_" : string.Empty) + (string)item["object"]!;
            (seen.TryGetValue(kind, out List<JsonObject>? list) ? list : seen[kind] = []).Add(item);
        }

        Assert.Equal(Samples.Select(sample => sample.Key).Order(), seen.Keys.Order());
        var problems = new List<string>();
        foreach ((string kind, JsonNode? sample) in Samples)
        {
            foreach (JsonObject actual in seen[kind].Where(actual => SameShape(kind, sample!, actual)))
            {
                Compare(kind, sample!, actual, problems);
            }
        }

        Assert.Empty(problems.Distinct());
        Assert.All(Samples.Select(sample => sample.Key), kind => Assert.Contains(seen[kind], actual => SameShape(kind, Samples[kind]!, actual)));
    }

    [Fact]
    public void The_comparison_notices_a_missing_field_and_a_wrong_type()
    {
        var problems = new List<string>();

        Compare("x", JsonNode.Parse("""{"a":1,"b":{"c":"t","d":null},"e":[1]}""")!, JsonNode.Parse("""{"a":"1","b":{"d":5},"e":null}""")!, problems);

        Assert.Equal(["x.a: a Number became a String", "x.b.c is missing"], problems);
    }

    /// <summary>The samples are of cards; sub-objects of other payment method types have fields of their own.</summary>
    private static bool SameShape(string kind, JsonNode sample, JsonObject actual) => kind switch
    {
        "payment_method" => (string?)actual["type"] == "card",
        "charge" or "setup_attempt" or "dispute" => (string?)actual["payment_method_details"]!["type"] == (string?)sample["payment_method_details"]!["type"],
        "refund" => (string?)actual["destination_details"]!["type"] == "card",
        _ => true,
    };

    private static void Compare(string path, JsonNode sample, JsonNode actual, List<string> problems)
    {
        if (sample.GetValueKind() != actual.GetValueKind() && !(Boolean(sample) && Boolean(actual)))
        {
            problems.Add($"{path}: a {sample.GetValueKind()} became a {actual.GetValueKind()}");
            return;
        }

        if (sample is not JsonObject expected)
        {
            return;
        }

        foreach ((string name, JsonNode? value) in expected)
        {
            if (!actual.AsObject().TryGetPropertyValue(name, out JsonNode? found))
            {
                // The mandate sample is of another debit scheme, whose sub-object is named after it.
                if (!path.EndsWith("mandate.payment_method_details", StringComparison.Ordinal))
                {
                    problems.Add($"{path}.{name} is missing");
                }
            }
            else if (value is not null && found is not null)
            {
                Compare($"{path}.{name}", value, found, problems);
            }
        }
    }

    private static bool Boolean(JsonNode node) => node.GetValueKind() is JsonValueKind.True or JsonValueKind.False;

    private List<JsonObject> Everything()
    {
        var all = new List<JsonObject>();
        string customer = Id(Post("/v1/customers", "name=Ada&address[city]=Helsinki"));
        string card = Id(Post("/v1/payment_methods/pm_card_visa/attach", "customer=" + customer));
        string failing = Id(Post("/v1/payment_methods/pm_card_chargeCustomerFail/attach", "customer=" + customer));
        string disputing = Id(Post("/v1/payment_methods/pm_card_createDispute/attach", "customer=" + customer));
        Post("/v1/payment_methods", "type=card&card[number]=4242424242424242&card[exp_month]=8&card[exp_year]=2030&card[cvc]=123");
        string charge = (string)Pay(customer, card)["latest_charge"]!;
        Pay(customer, failing);
        Pay(customer, disputing);
        Post("/v1/payment_intents",
            $"amount=500&currency=usd&customer={customer}&payment_method=pm_card_authenticationRequired&confirm=true&return_url=https://x.test/");
        Post("/v1/payment_intents/" + Id(Post("/v1/payment_intents", "amount=500&currency=eur")) + "/cancel", "");
        Post("/v1/refunds", $"charge={charge}&amount=100");
        Post("/v1/setup_intents", $"customer={customer}&payment_method=pm_card_mastercard&confirm=true");
        Post("/v1/setup_intents", $"customer={customer}&payment_method=pm_card_chargeDeclined&confirm=true");
        Post("/v1/setup_intents", $"customer={customer}&payment_method=pm_usBankAccount_success&confirm=true&mandate_data[customer_acceptance][type]=online" +
            "&mandate_data[customer_acceptance][online][ip_address]=127.0.0.1&mandate_data[customer_acceptance][online][user_agent]=x");
        string endpoint = Id(Post("/v1/webhook_endpoints", "url=https://x.test/hook&enabled_events[]=*"));
        string location = Id(Post("/v1/terminal/locations", "display_name=Desk&address[country]=US&address[line1]=Street+1"));
        string reader = Id(Post("/v1/terminal/readers", $"registration_code=simulated-wpe&location={location}"));
        foreach (string number in (string[])["4242424242424242", "4000000000000002"])
        {
            string intent = Id(Post("/v1/payment_intents", "amount=700&currency=usd&allowed_payment_method_types[]=card_present"));
            Post($"/v1/terminal/readers/{reader}/process_payment_intent", "payment_intent=" + intent);
            Post($"/v1/test_helpers/terminal/readers/{reader}/present_payment_method", $"type=card_present&card_present[number]={number}");
        }

        world.Settle().GetAwaiter().GetResult();
        foreach (string list in (string[])["customers", "payment_intents", "setup_intents", "charges", "refunds", "disputes", "events", "webhook_endpoints",
            "terminal/locations", "terminal/readers"])
        {
            List("/v1/" + list, string.Empty);
        }

        foreach (JsonObject setup in all.Where(item => (string?)item["object"] == "setup_intent").ToList())
        {
            List("/v1/setup_attempts", "setup_intent=" + Id(setup));
            if ((string?)setup["mandate"] is { } mandate)
            {
                all.Add(Parse(world.Get("/v1/mandates/" + mandate)));
            }
        }

        List("/v1/payment_methods", "customer=" + customer);
        foreach (string path in (string[])[$"terminal/readers/{reader}", $"terminal/locations/{location}", $"webhook_endpoints/{endpoint}",
            $"customers/{customer}"])
        {
            all.Add(Parse(world.Simulator.Handle(new global::Flex.Local.Simulators.Stripe.StripeRequest("DELETE", "/v1/" + path, string.Empty, string.Empty,
                new Dictionary<string, string> { ["Authorization"] = "Bearer " + StripeTestWorld.Key }))));
        }

        return all;

        JsonObject Pay(string who, string with) => Post("/v1/payment_intents",
            $"amount=2500&currency=usd&customer={who}&payment_method={with}&confirm=true&off_session=true");

        JsonObject Post(string path, string form)
        {
            JsonObject answer = Parse(world.Post(path, form));
            if (answer["error"] is null)
            {
                all.Add(answer);
            }

            return answer;
        }

        void List(string path, string query) => all.AddRange(Parse(world.Get(path, query + "&limit=100"))["data"]!.AsArray().Select(item => item!.AsObject()));
    }

    private static JsonObject Parse(StripeReply reply) => JsonNode.Parse(reply.Body)!.AsObject();

    private static string Id(JsonObject answer) => (string)answer["id"]!;

    private static JsonObject Load()
    {
        using Stream stream = typeof(StripeSampleTests).Assembly.GetManifestResourceStream("stripe-samples.json")!;
        return JsonNode.Parse(stream)!.AsObject();
    }
}
