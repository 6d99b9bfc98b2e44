using Flex.Platform.Identity;

namespace Flex.Platform.Http;

/// <summary>What a handler knows about the request beside its body.</summary>
/// <param name="Idempotency">The caller's Idempotency-Key; null when none was sent.</param>
/// <param name="IfMatch">The If-Match header as sent, e.g. <c>"7"</c>; null when none was sent.</param>
/// <param name="CorrelationId">Names the request in logs, messages and problem documents.</param>
public sealed record RequestContext(Caller Caller, RequestKey? Idempotency, string? IfMatch, string CorrelationId)
{
    /// <summary>How the trigger answers a value; <see cref="IdempotencyRow"/> needs it to keep the very answer.</summary>
    public Responder Responder { get; init; } = Responder.Default;

    /// <summary>A context without key and If-Match, for handlers called by other code and by tests.</summary>
    public static RequestContext For(Caller caller, string correlationId = "none") => new(caller, null, null, correlationId);

    /// <summary>Null when If-Match is absent or names this version; else 412 <c>stale</c>.</summary>
    public Error? CheckIfMatch(long version) => IfMatch is null || ETags.Matches(IfMatch, ETags.Of(version)) ? null : Error.Stale();
}
