using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json;
using Flex.Local.Runtime.Hosting;
using Flex.Platform.Identity;
using Microsoft.Extensions.DependencyInjection;

namespace Flex.Functions.Tests.ObjectAccess;

/// <summary>Who makes out tokens: the operator's issuer for everybody, one that may make out members' only, and one nobody trusts.</summary>
internal sealed class Issuers : IDisposable
{
    private static readonly JsonSerializerOptions Verbatim = new();

    private readonly RSA _rsa = RSA.Create(2048);

    public Issuers() =>
        (OfMembers, Unknown) = (new LocalIdentity(_rsa, new Uri("http://localhost:1")), new LocalIdentity(_rsa, new Uri("http://localhost:2")));

    /// <summary>The one that worlds have.</summary>
    public LocalIdentity Main { get; } = LocalIdentity.OfProcess(new Uri("http://localhost"));

    public LocalIdentity OfMembers { get; }

    public LocalIdentity Unknown { get; }

    public IReadOnlyDictionary<string, string?> Settings => new Dictionary<string, string?>
    {
        ["Auth:Issuers:1:Authority"] = OfMembers.Issuer,
        ["Auth:Issuers:1:Audience"] = LocalIdentity.Audience,
        ["Auth:Issuers:1:Roles:0"] = "member",
    };

    public IServiceCollection Install(IServiceCollection services)
    {
        services.AddHttpClient(IdentityRegistration.HttpClientName).ConfigurePrimaryHttpMessageHandler(() => new Documents(Main, OfMembers, Unknown));
        return services;
    }

    public void Dispose() => _rsa.Dispose();

    /// <summary>The two documents of every issuer, without a network.</summary>
    private sealed class Documents(params LocalIdentity[] issuers) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            LocalIdentity issuer = issuers.Single(i => request.RequestUri!.AbsoluteUri.StartsWith(i.Issuer + "/", StringComparison.Ordinal));
            object document = request.RequestUri!.AbsolutePath.EndsWith("/jwks", StringComparison.Ordinal) ? issuer.Keys() : issuer.Metadata();
            return Task.FromResult(new HttpResponseMessage { Content = JsonContent.Create(document, document.GetType(), options: Verbatim) });
        }
    }
}
