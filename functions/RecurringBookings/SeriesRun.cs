using Flex.Bookings;
using Flex.Platform.Http;
using Flex.Platform.Tables;
using Flex.Wallets;

namespace Flex.RecurringBookings;

/// <summary>Work on a series as it stands, with what the one who works on it knows besides.</summary>
public sealed class SeriesRun
{
    private SeriesRun(SeriesOperation operation, string? operationETag, Series series, string? seriesETag)
    {
        Operation = operation;
        OperationETag = operationETag;
        Series = series;
        SeriesETag = seriesETag;
    }

    public SeriesOperation Operation { get; private set; }

    /// <summary>Null before the first commit.</summary>
    public string? OperationETag { get; private set; }

    /// <summary>The series that the steps belong to; of an update the new one.</summary>
    public Series Series { get; private set; }

    /// <summary>Null before the first commit of a new series.</summary>
    public string? SeriesETag { get; private set; }

    /// <summary>The series that an update ends, to be committed with the first step.</summary>
    public Stored<Series>? Ended { get; private init; }

    /// <summary>What was found out before the first commit; null when the work is gone on with.</summary>
    public SeriesPlan? Plan { get; private set; }

    /// <summary>Whether the plan, above all its agendas, is still the latest that is known.</summary>
    public bool IsFresh { get; private set; }

    /// <summary>The request only stores what is to be done; it is answered with the first commit, and the work is done by message.</summary>
    public bool IsDeferred { get; private init; }

    /// <summary>Adds the answer to the request to the last commit, of the operation and series after it; null: nobody waits for it.</summary>
    public Action<TableBatch, SeriesRun>? Remember { get; set; }

    /// <summary>As of the last commit, where that is known.</summary>
    public Dictionary<BookingId, Stored<Booking>> Known { get; } = [];

    /// <summary>What was drawn.</summary>
    public Dictionary<BookingId, BookingPrice> Prices { get; private init; } = [];

    /// <summary>Why not even the first commit was made.</summary>
    public Error? Refusal { get; set; }

    /// <param name="before">The series as it was read; null for a new one.</param>
    /// <param name="plan">Of what is booked by it; null: nothing is.</param>
    /// <param name="isDeferred">See <see cref="IsDeferred"/>.</param>
    /// <param name="ended">See <see cref="Ended"/>.</param>
    public static SeriesRun Begin(
        SeriesOperation operation, Series series, Stored<Series>? before, SeriesPlan? plan, bool isDeferred = false, Stored<Series>? ended = null) =>
        new(operation, null, series with { Running = operation.Id }, before?.ETag)
        {
            Plan = plan,
            IsFresh = plan is not null && ended is null,
            IsDeferred = isDeferred,
            Ended = ended,
        };

    public static SeriesRun Resume(Stored<SeriesOperation> operation, Stored<Series> series) =>
        new(operation.Value, operation.ETag, series.Value, series.ETag);

    /// <summary>The same run, as storage has it now.</summary>
    public SeriesRun Again(Stored<SeriesOperation> operation, Stored<Series> series)
    {
        Operation = operation.Value;
        OperationETag = operation.ETag;
        Series = series.Value;
        SeriesETag = series.ETag;
        Plan = null;
        Outdate();
        return this;
    }

    /// <summary>Somebody else was faster: what was read counts no more.</summary>
    public void Outdate()
    {
        IsFresh = false;
        Known.Clear();
        Prices.Clear();
    }

    /// <summary>The run with both as they are to be committed.</summary>
    public SeriesRun To(SeriesOperation operation, Series series) =>
        new(operation, OperationETag, series, SeriesETag) { Plan = Plan, Prices = Prices, IsDeferred = IsDeferred };

    /// <summary>Both are committed.</summary>
    public void Committed(SeriesRun after, string operationETag, string seriesETag)
    {
        Operation = after.Operation;
        Series = after.Series;
        OperationETag = operationETag;
        SeriesETag = seriesETag;
        IsFresh = false;
    }
}
