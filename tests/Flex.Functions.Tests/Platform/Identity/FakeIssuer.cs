using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Time.Testing;
using Microsoft.IdentityModel.Tokens;

namespace Flex.Functions.Tests.Platform.Identity;

/// <summary>An OpenID Connect issuer's two documents, without a network.</summary>
internal sealed class FakeIssuer(string issuer) : HttpMessageHandler
{
    private readonly List<object> _keys = [];

    public string Issuer { get; } = issuer;

    public FakeTimeProvider Network { get; } = new();

    public bool IsDown { get; set; }

    /// <summary>How often the metadata was asked for.</summary>
    public int Fetches { get; private set; }

    public void Publish(string keyId, RSA rsa)
    {
        RSAParameters key = rsa.ExportParameters(includePrivateParameters: false);
        _keys.Add(new { kty = "RSA", use = "sig", kid = keyId, n = Base64UrlEncoder.Encode(key.Modulus), e = Base64UrlEncoder.Encode(key.Exponent) });
    }

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (IsDown)
        {
            throw new HttpRequestException("down");
        }

        string address = request.RequestUri!.ToString();
        object document = address switch
        {
            _ when address == $"{Issuer}/.well-known/openid-configuration" => new { issuer = Issuer, jwks_uri = $"{Issuer}/keys" },
            _ when address == $"{Issuer}/keys" => new { keys = _keys },
            _ => throw new HttpRequestException($"Nothing at {address}."),
        };
        Fetches += address.EndsWith("configuration", StringComparison.Ordinal) ? 1 : 0;
        return Task.FromResult(new HttpResponseMessage(HttpStatusCode.OK)
        {
            Content = new StringContent(JsonSerializer.Serialize(document), Encoding.UTF8, "application/json"),
        });
    }
}
