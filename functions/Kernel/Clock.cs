using NodaTime;

namespace Flex.Kernel;

/// <summary><see cref="TimeProvider"/> is the only clock; this is its NodaTime face.</summary>
public static class Clock
{
    public static Instant Now(this TimeProvider time) => Instant.FromDateTimeOffset(time.GetUtcNow());
}
