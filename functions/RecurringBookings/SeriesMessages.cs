using Flex.Platform.Messaging;
using NodaTime;
using NodaTime.Text;

namespace Flex.RecurringBookings;

/// <summary>Command: go on with work on a series that is not done yet. Queue <c>bookings</c>; comes late or twice without harm.</summary>
public sealed record ContinueOperation(OperationId OperationId)
{
    public const string Subject = "series.continue.v1";
}

/// <summary>Fact: a series of a member exists. Queue <c>bookings</c>.</summary>
public sealed record SeriesMade(MemberId MemberId, SeriesId SeriesId)
{
    public const string Subject = "series.made.v1";
}

/// <summary>Command: account the occurrences of a series that have entered the horizon. Queue <c>bookings</c>.</summary>
/// <param name="On">The day of the entry in the index of due series.</param>
public sealed record AccountSeries(SeriesId SeriesId, LocalDate On)
{
    public const string Subject = "series.account.v1";

    public Envelope ToEnvelope() => new(
        $"{SeriesId}.{LocalDatePattern.Iso.Format(On)}.account", Subject, Platform.StorageJson.Write(this), CorrelationScope.Current);
}

/// <summary>The messages that commit with a series. Ids follow from what is meant, so a repeat repeats them.</summary>
public static class SeriesMessages
{
    /// <summary>Longer than a request can take: whoever finds the work unfinished then may take it that the request has died.</summary>
    public static readonly Duration Patience = Duration.FromMinutes(2);

    public static OutboxMessage Continue(SeriesOperation operation, Duration? delay) => OutboxMessage.Create(
        $"{operation.Id}.{operation.Version}.continue", Queues.Bookings, ContinueOperation.Subject, new ContinueOperation(operation.Id), delay);

    public static OutboxMessage Made(Series series) =>
        OutboxMessage.Create($"{series.Id}.made", Queues.Bookings, SeriesMade.Subject, new SeriesMade(series.MemberId, series.Id));
}
