using System.Text.Json.Nodes;
using Flex.EndToEnd.Tests.Support;

namespace Flex.EndToEnd.Tests.BadInput;

/// <summary>A request that must be refused.</summary>
/// <param name="Name">What is wrong with it.</param>
/// <param name="Text">The body as it goes over the wire; null is none.</param>
internal sealed record BadRequest(string Name, string Method, Func<Space, string> Path, Func<Space, string?> Text, int Status, string Code)
{
    /// <summary>staff, owner, ada, bob, eve, or nobody.</summary>
    public string As { get; init; } = "staff";

    public string? Key { get; init; }

    public string? IfMatch { get; init; }

    public string ContentType { get; init; } = "application/json";

    /// <summary>Sent without a Content-Length.</summary>
    public bool Chunked { get; init; }

    public static BadRequest Get(string name, Func<Space, string> path, int status, string code) => new(name, "GET", path, _ => null, status, code);

    public static BadRequest Post(string name, string path, Func<Space, JsonNode> body, int status, string code) =>
        new(name, "POST", _ => path, s => body(s).ToJsonString(), status, code);

    public static BadRequest Post(string name, Func<Space, string> path, Func<Space, JsonNode> body, int status, string code) =>
        new(name, "POST", path, s => body(s).ToJsonString(), status, code);

    public static BadRequest Raw(string name, string path, string text, int status, string code) => new(name, "POST", _ => path, _ => text, status, code);

    /// <summary>A change of the version that is current, unless said otherwise.</summary>
    public static BadRequest Put(string name, Func<Space, string> path, Func<Space, JsonNode> body, int status, string code, string? ifMatch = "\"1\"") =>
        new(name, "PUT", path, s => body(s).ToJsonString(), status, code) { IfMatch = ifMatch };

    /// <summary>An action without a body.</summary>
    public static BadRequest Act(string name, Func<Space, string> path, int status, string code) =>
        new(name, "POST", path, _ => null, status, code);

    public override string ToString() => Name;
}
