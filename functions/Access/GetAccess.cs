using Flex.Platform.Http;

namespace Flex.Access;

/// <summary>A member's doors as staff and the member see them.</summary>
/// <param name="DesiredGroups">What all sources together grant.</param>
/// <param name="AppliedGroups">What Salto has been brought to.</param>
/// <param name="Attention">What staff have to look at, if anything.</param>
/// <param name="Pending">True while Salto has not followed yet.</param>
public sealed record AccessView(
    MemberId MemberId,
    AccessState State,
    IReadOnlyList<string> DesiredGroups,
    IReadOnlyList<string> AppliedGroups,
    AccessAttention? Attention,
    bool Pending,
    IReadOnlyList<AccessSourceView> Sources);

/// <param name="EndReason">Why it grants nothing any more; absent while it does.</param>
public sealed record AccessSourceView(string SourceId, IReadOnlyList<string> Groups, AccessEndReason? EndReason);

/// <summary>Shows a member's access. A member nobody has ever granted anything has an empty one.</summary>
public sealed class GetAccess(AccessStore store, IAccessDirectory directory)
{
    public async Task<Reply<AccessView>> HandleAsync(MemberId memberId, RequestContext context, CancellationToken cancellation)
    {
        if (context.Caller.Refuses(memberId, "This member") is { } refusal)
        {
            return refusal;
        }

        (MemberAccess access, string? etag) = await store.FindAsync(memberId, cancellation);
        return etag is null && await directory.FindAsync(memberId, cancellation) is null
            ? Error.NotFound("This member")
            : View(access);
    }

    private static AccessView View(MemberAccess access) => new(
        access.MemberId,
        access.State,
        access.Desired(),
        access.Applied,
        access.Attention,
        access.Pending,
        [.. access.Sources.OrderBy(s => s.Key, StringComparer.Ordinal).Select(s => new AccessSourceView(s.Key, s.Value.Groups, s.Value.EndReason))]);
}
