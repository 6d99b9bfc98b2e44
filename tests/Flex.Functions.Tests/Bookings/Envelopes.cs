using Flex.Bookings;
using Flex.Kernel;
using Flex.Members;
using Flex.Platform;
using Flex.Platform.Messaging;
using NodaTime;

namespace Flex.Functions.Tests.Bookings;

/// <summary>Messages of other features, as they would arrive.</summary>
internal static class Envelopes
{
    public static Envelope Changed(MemberId member, MembershipStanding standing) =>
        new($"{standing.MembershipId}.{standing.Version}", MembershipChanged.Subject, StorageJson.Write(new MembershipChanged(member, standing)), null);

    public static Envelope CancelFuture(MemberId member, Instant from, BookingCancelReason reason = BookingCancelReason.Downgraded) =>
        new($"{member}.{from}", CancelFutureBookings.Subject, StorageJson.Write(new CancelFutureBookings(member, from, reason)), null);
}
