using System.Text.Json.Nodes;
using CsCheck;
using Flex.Bookings;
using Flex.Platform;
using Flex.Platform.Blobs;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using Flex.Tests.Shared;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Flex.Functions.Tests.Platform;

/// <summary>The app refuses to start with settings that cannot work: all faults at once, a line each, and no value in any.</summary>
public sealed class SettingsCheckTests
{
    private const string Key32 = "0123456789abcdef0123456789abcdef";

    /// <summary>The least a host in Azure is given. What is not here may be left out.</summary>
    private static readonly Dictionary<string, string?> Least = new()
    {
        ["Tables__ServiceUri"] = "https://x.table.core.windows.net",
        ["Blobs__ServiceUri"] = "https://x.blob.core.windows.net",
        ["ServiceBusConnection__FullyQualifiedNamespace"] = "x.servicebus.windows.net",
    };

    [Theory]
    [InlineData("Auth__Issuers__0__Audience is missing: without it tokens", "Auth__Issuers__0__Authority=https://login.example.com")]
    [InlineData("Auth__Issuers__0__Authority is missing: the address", "Auth__Issuers__0__Audience=flex")]
    [InlineData("Auth__Issuers__0__Authority must be an absolute https address", "Auth__Issuers__0__Audience=flex", "Auth__Issuers__0__Authority=http://login.example.com")]
    [InlineData("Auth__Issuers__0__Authority must be an absolute https address", "Auth__Issuers__0__Audience=flex", "Auth__Issuers__0__Authority=login.example.com")]
    [InlineData("Auth__Issuers__0__Roles__1 must be one of owner, staff, member.", "Auth__Issuers__0__Authority=https://a.example", "Auth__Issuers__0__Audience=flex", "Auth__Issuers__0__Roles__0=staff", "Auth__Issuers__0__Roles__1=king")]
    [InlineData("Auth__Issuers__0__Roles__0 must be one of owner, staff, member.", "Auth__Issuers__0__Authority=https://a.example", "Auth__Issuers__0__Audience=flex", "Auth__Issuers__0__Roles__0=2")]
    [InlineData("Cors__Origins__0 must be an exact origin", "Cors__Origins__0=*")]
    [InlineData("Cors__Origins__0 must be an exact origin", "Cors__Origins__0=https://*.example.com")]
    [InlineData("Cors__Origins__0 must be an exact origin", "Cors__Origins__0=https://app.example.com/")]
    [InlineData("Cors__Origins__0 must be an exact origin", "Cors__Origins__0=https://app.example.com/app")]
    [InlineData("Cors__Origins__0 must be an exact origin", "Cors__Origins__0=https://App.example.com")]
    [InlineData("Cors__Origins__0 must be an exact origin", "Cors__Origins__0=https://app.example.com:443")]
    [InlineData("Cors__Origins__0 must be an exact origin", "Cors__Origins__0=http://app.example.com")]
    [InlineData("Cors__Origins__1 must be an exact origin", "Cors__Origins__0=https://app.example.com:8443", "Cors__Origins__1=null")]
    [InlineData("Cors__Origins must be empty: the items of the list are Cors__Origins__0, Cors__Origins__1 and so on.", "Cors__Origins=https://app.example.com")]
    [InlineData("Cors__Origins__1 is out of order: the items of the list are Cors__Origins__0,", "Cors__Origins__1=https://app.example.com")]
    [InlineData("Auth__Issuers__0 must be empty: it has parts", "Auth__Issuers__0=https://a.example")]
    [InlineData("Stripe__WebhookSecret is missing", "Stripe__ApiKey=sk_test_1")]
    [InlineData("Stripe__ApiKey is missing", "Stripe__WebhookSecret=whsec_1")]
    [InlineData("Stripe__ApiKey must start with sk_test_ or rk_test_, because Stripe__Livemode is false.", "Stripe__ApiKey=sk_live_1", "Stripe__WebhookSecret=whsec_1")]
    [InlineData("Stripe__ApiKey must start with sk_live_ or rk_live_, because Stripe__Livemode is true.", "Stripe__ApiKey=rk_test_1", "Stripe__WebhookSecret=whsec_1", "Stripe__Livemode=true")]
    [InlineData("Stripe__ApiKey must start with sk_test_", "Stripe__ApiKey=pk_test_1", "Stripe__WebhookSecret=whsec_1")]
    [InlineData("Stripe__WebhookSecret must be a signing secret, which starts with whsec_.", "Stripe__ApiKey=sk_test_1", "Stripe__WebhookSecret=secret")]
    [InlineData("Stripe__WebhookSecretNext must be a signing secret", "Stripe__ApiKey=sk_test_1", "Stripe__WebhookSecret=whsec_1", "Stripe__WebhookSecretNext=whsec_")]
    [InlineData("Stripe__WebhookSecretNext must differ from Stripe__WebhookSecret.", "Stripe__ApiKey=sk_test_1", "Stripe__WebhookSecret=whsec_1", "Stripe__WebhookSecretNext=whsec_1")]
    [InlineData("Stripe__ApiBase must be an absolute https address", "Stripe__ApiBase=http://stripe.example.com")]
    [InlineData("Stripe__ApiBase must be an absolute https address", "Stripe__ApiBase=https://user:word@stripe.example.com")]
    [InlineData("Stripe__Livemode must be true or false.", "Stripe__Livemode=yes")]
    [InlineData("Quotes__SigningKey must have at least 32 characters.", "Quotes__SigningKey=short")]
    [InlineData("Quotes__SigningKeyNext must have at least 32 characters.", "Quotes__SigningKey=" + Key32, "Quotes__SigningKeyNext=short")]
    [InlineData("Quotes__SigningKeyNext must differ from Quotes__SigningKey.", "Quotes__SigningKey=" + Key32, "Quotes__SigningKeyNext=" + Key32)]
    [InlineData("Quotes__SigningKey is missing: Quotes__SigningKeyNext is accepted beside it.", "Quotes__SigningKeyNext=" + Key32)]
    [InlineData("Salto__ClientSecret is missing", "Salto__IdentityUrl=https://i.example", "Salto__ApiUrl=https://a.example", "Salto__ClientId=me")]
    [InlineData("Salto__ApiUrl must be an absolute https address", "Salto__IdentityUrl=https://i.example", "Salto__ApiUrl=http://a.example", "Salto__ClientId=me", "Salto__ClientSecret=x")]
    [InlineData("Salto__Password is missing: it goes with Salto__Username.", "Salto__IdentityUrl=https://i.example", "Salto__ApiUrl=https://a.example", "Salto__ClientId=me", "Salto__ClientSecret=x", "Salto__Username=u")]
    [InlineData("Salto__Username is missing: it goes with Salto__Password.", "Salto__IdentityUrl=https://i.example", "Salto__ApiUrl=https://a.example", "Salto__ClientId=me", "Salto__ClientSecret=x", "Salto__Password=p")]
    [InlineData("Salto__MaxRequestsPerSecond must be a number.", "Salto__MaxRequestsPerSecond=four")]
    [InlineData("Salto__MaxRequestsPerSecond must be from 0", "Salto__MaxRequestsPerSecond=-1")]
    [InlineData("Mail__From is missing", "Mail__Host=smtp.example.com")]
    [InlineData("Mail__From must be a mail address.", "Mail__From=nobody")]
    [InlineData("Mail__Host must be the name of a host", "Mail__Host=smtp://mail.example.com", "Mail__From=a@example.com")]
    [InlineData("Mail__Port must be a whole number.", "Mail__Port=smtp")]
    [InlineData("Mail__Port must be from 1 to 65535.", "Mail__Host=smtp.example.com", "Mail__From=a@example.com", "Mail__Port=70000")]
    [InlineData("Mail__RequireTls may be false only for a server on this machine.", "Mail__Host=smtp.example.com", "Mail__From=a@example.com", "Mail__RequireTls=false")]
    [InlineData("Mail__Password is missing: it goes with Mail__User.", "Mail__Host=smtp.example.com", "Mail__From=a@example.com", "Mail__User=u")]
    [InlineData("Mail__User is missing: it goes with Mail__Password.", "Mail__Host=smtp.example.com", "Mail__From=a@example.com", "Mail__Password=p")]
    [InlineData("Telemetry__OtlpEndpoint must be an absolute http or https address.", "Telemetry__OtlpEndpoint=collector:4317")]
    [InlineData("Telemetry__TraceSamplingRatio must be a number.", "Telemetry__TraceSamplingRatio=all")]
    [InlineData("Telemetry__TraceSamplingRatio must be a number from 0 to 1.", "Telemetry__TraceSamplingRatio=1.5")]
    [InlineData("ServiceBusConnection__FullyQualifiedNamespace is missing", "ServiceBusConnection__FullyQualifiedNamespace=")]
    [InlineData("ServiceBusConnection__FullyQualifiedNamespace must be the name of a host", "ServiceBusConnection__FullyQualifiedNamespace=sb://x.servicebus.windows.net/")]
    [InlineData("ServiceBusConnection__Credential must be managedidentity.", "ServiceBusConnection__Credential=sas")]
    [InlineData("ServiceBusConnection__ClientId must be the client id", "ServiceBusConnection__ClientId=me")]
    [InlineData("Tables__ServiceUri is missing: set it (managed identity), or Tables__ConnectionString (emulator).", "Tables__ServiceUri=")]
    [InlineData("Tables__ConnectionString must be empty, because Tables__ServiceUri is set.", "Tables__ConnectionString=UseDevelopmentStorage=true")]
    [InlineData("Tables__ServiceUri must be an absolute https address.", "Tables__ServiceUri=http://x.table.core.windows.net")]
    [InlineData("Tables__ClientId must be the client id of a managed identity, a GUID.", "Tables__ClientId=me")]
    [InlineData("Tables__Prefix must be a letter", "Tables__Prefix=1x")]
    [InlineData("Blobs__ServiceUri is missing", "Blobs__ServiceUri=")]
    [InlineData("RateLimits__Payments__PerMinute must be from 0 (the default) to 1000000.", "RateLimits__Payments__PerMinute=-1")]
    [InlineData("RateLimits__Refusals__Burst must be from 0 (the default) to 1000000.", "RateLimits__Refusals__Burst=1000001")]
    [InlineData("Stripe__WebhokSecret is not a setting; those there are: ApiKey, ApiBase, WebhookSecret,", "Stripe__WebhokSecret=whsec_1")]
    [InlineData("Auth__Issuers__0__Audiences is not a setting; those there are: Authority,", "Auth__Issuers__0__Authority=https://a.example", "Auth__Issuers__0__Audience=flex", "Auth__Issuers__0__Audiences=x")]
    [InlineData("Stripe__ApiKey__Next is not a setting.", "Stripe__ApiKey__Next=x")]
    [InlineData("Stripe__WebhookSecret is a Key Vault reference that was not resolved", "Stripe__ApiKey=sk_test_1", "Stripe__WebhookSecret=@Microsoft.KeyVault(SecretUri=https://v.vault.azure.net/secrets/x)")]
    [InlineData("Stripe__Livemode is a Key Vault reference that was not resolved", "Stripe__Livemode=@Microsoft.KeyVault(SecretUri=https://v.vault.azure.net/secrets/x)")]
    [InlineData("Quotes__SigningKey begins or ends with white space.", "Quotes__SigningKey=" + Key32 + "\n")]
    public void A_fault_is_one_line_that_names_the_setting(string line, params string[] settings)
    {
        string fault = Assert.Single(Check(settings));

        Assert.StartsWith(line, fault, StringComparison.Ordinal);
        Assert.EndsWith(fault.Contains('?', StringComparison.Ordinal) ? "?" : ".", fault, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData]
    [InlineData("Auth__Issuers__0__Authority=http://localhost:7071/local/identity", "Auth__Issuers__0__Audience=flex", "Auth__Issuers__0__Roles__0=Member")]
    [InlineData("Cors__Origins__0=https://app.example.com", "Cors__Origins__1=http://localhost:5173")]
    [InlineData("Stripe__ApiKey=rk_live_1", "Stripe__WebhookSecret=whsec_1", "Stripe__WebhookSecretNext=whsec_2", "Stripe__Livemode=True")]
    [InlineData("Quotes__SigningKey=" + Key32, "Quotes__SigningKeyNext=x" + Key32)]
    [InlineData("Salto__IdentityUrl=https://i.example", "Salto__ApiUrl=https://a.example", "Salto__ClientId=me", "Salto__ClientSecret=x", "Salto__MaxRequestsPerSecond=0")]
    [InlineData("Mail__Host=smtp.example.com", "Mail__From=Flex <no-reply@example.com>", "Mail__User=u", "Mail__Password=p")]
    [InlineData("Mail__Host=127.0.0.1", "Mail__From=a@example.com", "Mail__RequireTls=false")]
    [InlineData("Telemetry__OtlpEndpoint=http://collector:4317")]
    [InlineData("ServiceBusConnection__credential=managedidentity", "ServiceBusConnection__managedIdentityResourceId=/subscriptions/x")]
    [InlineData("Mail__Port=", "Mail__RequireTls=", "Salto__MaxRequestsPerSecond=", "Stripe__Livemode=")]
    public void What_can_work_is_let_start(params string[] settings)
    {
        Assert.Empty(Check(settings));
    }

    [Fact]
    public void All_faults_are_told_at_once()
    {
        IReadOnlyList<string> lines = Check(
            "Stripe__ApiKey=sk_test_1", "Stripe__Livmode=true", "Mail__Port=x", "Mail__Host=smtp.example.com", "Cors__Origins__0=*", "Tables__ServiceUri=", "Quotes__SigningKey=x");

        Assert.Equal(
            ["Cors__Origins__0", "Mail__From", "Mail__Port", "Quotes__SigningKey", "Stripe__Livmode", "Stripe__WebhookSecret", "Tables__ServiceUri"],
            lines.Select(l => l.Split(' ')[0]).Order(StringComparer.Ordinal));
    }

    /// <summary>The section's own variable is somebody else's: MAIL names the mailbox on many machines.</summary>
    [Fact]
    public void A_variable_with_the_name_of_a_section_is_not_ours()
    {
        Assert.Empty(Check("MAIL=/var/mail/root", "Auth=x"));
    }

    [Fact]
    public void The_sample_can_be_started_with()
    {
        var values = (JsonObject)JsonNode.Parse(SourceTree.Read("local.settings.sample.json"))!["Values"]!;

        Assert.Empty(Check([.. values.Select(v => $"{v.Key}={v.Value}").Append("Tables__ServiceUri=").Append("Blobs__ServiceUri=")]));
    }

    [Fact]
    public void A_host_may_need_what_others_do_not()
    {
        IConfiguration without = Configuration();
        IConfiguration with = Configuration("Quotes__SigningKey=" + Key32);

        SettingsException refused = Assert.Throws<SettingsException>(() => new ServiceCollection()
            .RequireSetting(without, QuoteSettings.Section, nameof(QuoteSettings.SigningKey), "all instances sign with it")
            .RequireSetting(without, "Auth", "Issuers__0__Authority", "somebody must be let in")
            .CheckSettings());

        Assert.Equal(
            ["Quotes__SigningKey is missing: all instances sign with it.", "Auth__Issuers__0__Authority is missing: somebody must be let in."], refused.Lines);
        Assert.Equal("The settings cannot be used:\n  " + string.Join("\n  ", refused.Lines), refused.Message);
        Assert.Empty(new ServiceCollection().RequireSetting(with, QuoteSettings.Section, nameof(QuoteSettings.SigningKey), "x").CheckSettings());
    }

    [Fact]
    public void Every_class_of_settings_says_what_is_wrong_with_it()
    {
        Assert.NotEmpty(SettingNames.Sections);
        Assert.All(SettingNames.Sections, s => Assert.True(s.Type.IsAssignableTo(typeof(ISettings)), s.Type.Name));
    }

    /// <summary>Any text in any setting, also one that nearly is what belongs there.</summary>
    [Fact]
    public void No_line_ever_tells_a_value()
    {
        string[] names = [.. SettingNames.All.Except(SettingNames.Placeholders), "Stripe__Unknown", "Cors__Origins", "Auth__Issuers__0__Roles__7"];
        Gen<string> secret = Gen.Char['a', 'z'].Array[12, 24].Select(c => "zq" + new string(c));
        string[] shapes = ["{0}", "whsec_{0}", "sk_live_{0}", "sk_test_{0}", " {0}", "https://{0}", "http://{0}.example", "https://me:{0}@x.example/#{0}", "{0}@{0}", "@Microsoft.KeyVault({0})", "1{0}"];
        int refusals = 0;
        Gen.Select(Gen.Int[0, names.Length - 1].Select(i => names[i]), Gen.Int[0, shapes.Length - 1].Select(i => shapes[i]), secret).Array[1, 12].Sample(settings =>
        {
            IReadOnlyList<string> lines = Check([.. settings.Select(s => $"{s.Item1}={string.Format(null, s.Item2, s.Item3)}")]);
            refusals += lines.Count > 0 ? 1 : 0;
            Assert.All(lines, line => Assert.All(settings, s => Assert.DoesNotContain(s.Item3, line, StringComparison.OrdinalIgnoreCase)));
        }, iter: 100, threads: 1);
        Assert.True(refusals > 60);
    }

    /// <summary>The lines for the least settings and these, each <c>NAME=value</c>; later ones win.</summary>
    private static IReadOnlyList<string> Check(params string[] settings)
    {
        IConfiguration configuration = Configuration(settings);
        IServiceCollection services = new ServiceCollection()
            .AddFlex(configuration)
            .AddAzureTables(configuration)
            .AddAzureBlobs(configuration)
            .AddSettings<ServiceBusSettings>(configuration, ServiceBusSettings.Section, sharedWithHost: true);
        try
        {
            services.CheckSettings();
            return [];
        }
        catch (SettingsException refused)
        {
            Assert.All(refused.Lines, line => Assert.Contains(line, refused.Message, StringComparison.Ordinal));
            return refused.Lines;
        }
    }

    private static IConfiguration Configuration(params string[] settings)
    {
        var values = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        foreach ((string name, string? value) in Least.Select(p => (p.Key, p.Value)).Concat(settings.Select(s => (s.Split('=')[0], (string?)s[(s.IndexOf('=', StringComparison.Ordinal) + 1)..]))))
        {
            values[name.Replace("__", ":", StringComparison.Ordinal)] = value;
        }

        return new ConfigurationBuilder().AddInMemoryCollection(values).Build();
    }
}
