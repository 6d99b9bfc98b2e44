using System.Text;
using Flex.Catalogue;
using Flex.Members;
using Flex.Platform.Http;
using Flex.Settings;
using NodaTime;

namespace Flex.CalendarFeeds;

/// <summary>
/// Answers calendar programs. A member's feed names the resources and shows what was cancelled as cancelled; a resource's feed hangs
/// on doors and screens and says only when it is taken, not by whom.
/// </summary>
public sealed class ReadFeed(
    CalendarFeedStore store, FeedBookings bookings, MemberStore members, CatalogueStore catalogue, SettingsStore settings, TimeProvider time)
{
    /// <param name="file">Last segment of the path, e.g. <c>feed_….ics</c>.</param>
    public async Task<Reply<FileAnswer>> HandleAsync(string file, CancellationToken cancellation)
    {
        if (FeedToken.Find(file) is not { } token || await store.FindByHashAsync(FeedToken.Hash(token), cancellation) is not { } feed)
        {
            return Error.NotFound("This calendar");
        }

        string text = feed.MemberId is { } member
            ? await WriteAsync(member, cancellation)
            : await WriteAsync(feed.ResourceId!.Value, cancellation);
        byte[] content = Encoding.UTF8.GetBytes(text);
        return new FileAnswer(CalendarText.MediaType + "; charset=utf-8", content, RequestKey.Hash(content)[..32]);
    }

    private async Task<string> WriteAsync(MemberId id, CancellationToken cancellation)
    {
        Task<IReadOnlyList<FeedBooking>> reading = bookings.OfMemberAsync(id, time.Now(), cancellation);
        Member member = await members.FindAsync(id, cancellation) ?? throw new DefectException($"{id} does not exist.");
        Location home = await settings.LocationAsync(member.LocationId, cancellation);
        string name = (await settings.GetOperatorAsync(cancellation)).Name;
        var events = new List<FeedEvent>();
        foreach (FeedBooking booking in await reading)
        {
            Location location = await settings.LocationAsync(booking.LocationId, cancellation);
            events.Add(Event(booking, (await ResourceAsync(booking.ResourceId, cancellation)).Name, location));
        }

        return CalendarText.Write(name, home.TimeZone, events);
    }

    private async Task<string> WriteAsync(ResourceId id, CancellationToken cancellation)
    {
        Resource resource = await ResourceAsync(id, cancellation);
        Location location = await settings.LocationAsync(resource.LocationId, cancellation);
        IReadOnlyList<FeedBooking> found = await bookings.OfResourceAsync(resource, time.Now(), cancellation);
        return CalendarText.Write(resource.Name, location.TimeZone, found.Select(b => Event(b, "Booked", location)));
    }

    private static FeedEvent Event(FeedBooking booking, string summary, Location location) => new(
        $"{booking.Id}@flex", booking.ChangedAt, booking.Version, booking.Start, booking.End, summary, location.Name, booking.Status);

    /// <summary>One that something stored refers to, which therefore exists: resources are never deleted.</summary>
    private async Task<Resource> ResourceAsync(ResourceId id, CancellationToken cancellation) =>
        await catalogue.FindResourceAsync(id, cancellation) ?? throw new DefectException($"{id} does not exist.");
}
