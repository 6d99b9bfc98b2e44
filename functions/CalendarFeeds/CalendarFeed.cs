using System.Text.Json.Serialization;
using NodaTime;

namespace Flex.CalendarFeeds;

/// <summary>The private calendar of a member or of a resource, one of the two. Of its token only the hash is kept.</summary>
public sealed record CalendarFeed(MemberId? MemberId, ResourceId? ResourceId, string TokenHash, Instant CreatedAt)
{
    /// <summary>Id of whose calendar it is.</summary>
    [JsonIgnore]
    public string Subject => MemberId?.Value ?? ResourceId!.Value.Value;
}
