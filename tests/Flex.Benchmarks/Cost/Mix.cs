namespace Flex.Benchmarks.Cost;

/// <param name="Times">Per member and month.</param>
internal sealed record Habit(MemberAction Action, decimal Times, string Why);

/// <summary>
/// What members are supposed to do and how the app is supposed to run: everything in the cost model that is neither counted nor a
/// price. An operator with other habits changes it here.
/// </summary>
internal static class Mix
{
    public static readonly int[] Sizes = [100, 1_000, 10_000, 100_000];

    /// <summary>Sets how many locations there are.</summary>
    public const int MembersPerLocation = 250;

    public const int RoomsPerLocation = 30;

    /// <summary>First attempts at a renewal that are declined.</summary>
    public const decimal DeclinedShare = 0.05m;

    /// <summary>Of these, those whose card is replaced before the ladder ends.</summary>
    public const decimal ReplacedShare = 0.7m;

    public static readonly IReadOnlyList<Habit> Habits =
    [
        new(MemberAction.OpensApp, 12, "three times a week: member, memberships, bookings, wallet"),
        new(MemberAction.LooksForRoom, 8, "a week of 30 rooms, twice for each booking"),
        new(MemberAction.SeesPicture, 30, "asked for again and unchanged, as browsers do"),
        new(MemberAction.PreviewsBooking, 6, "the price, half again as often as it is booked"),
        new(MemberAction.BooksOnAccount, 1, "without credit"),
        new(MemberAction.BooksFromCredit, 3, "most plans have credit"),
        new(MemberAction.CancelsBooking, 0.4m, "one booking in ten"),
        new(MemberAction.PaysForBookings, 1, "one invoice a month for what was booked on account, collected from the card"),
        new(MemberAction.BooksSeries, 0.1m, "a weekly series of twelve, now and then"),
        new(MemberAction.ChecksIn, 8, "twice a week"),
        new(MemberAction.CalendarPolls, 48, "one member in five has a feed, polled every three hours"),
        new(MemberAction.SignsUp, 0.05m, "one member in twenty is new; customer, card and membership with it"),
        new(MemberAction.Renews, 1 - DeclinedShare, "monthly, paid at the first attempt"),
        new(MemberAction.RenewsWithNewCard, DeclinedShare * ReplacedShare, "declined twice, then the card is replaced"),
        new(MemberAction.FailsToRenew, DeclinedShare * (1 - ReplacedShare), "declined four times and downgraded"),
    ];

    public const decimal SecondsPerMonth = 365m * 24 * 3600 / 12;

    public const decimal NightsPerMonth = 365m / 12;

    /// <summary>Memory of an instance, which is what is paid for while any function of its group runs on it.</summary>
    public const decimal InstanceGb = 2;

    /// <summary>Executions an instance takes at once before there is another: the default of HTTP at this size.</summary>
    public const decimal Concurrency = 16;

    /// <summary>The busiest hour has this many times the executions of the average one.</summary>
    public const decimal Peak = 5;

    /// <summary>Supposed seconds of one execution, in Azure: storage is a few milliseconds away, a charge takes a second or two.</summary>
    public const decimal HttpSeconds = 0.2m;
    public const decimal DurableSeconds = 0.3m;
    public const decimal OtherSeconds = 0.5m;

    /// <summary>A Service Bus message is sent, received and completed; each is an operation.</summary>
    public const decimal OperationsPerDelivery = 2;

    /// <summary>An execution and each call it makes is a span, of which sampling keeps a share; log lines are all kept.</summary>
    public const decimal KeptShare = 0.2m;
    public const decimal LogLinesPerExecution = 1;
    public const decimal RecordKilobytes = 1.2m;

    /// <summary>Rules that ask the logs, and metrics that rules watch: eight queues' dead letters, readiness.</summary>
    public const decimal LogAlerts = 7;
    public const decimal MetricAlerts = 9;

    /// <summary>The availability test.</summary>
    public const decimal ProbePlaces = 3;
    public const decimal ProbeMinutes = 15;
    public const decimal ProbesPerMonth = ProbePlaces * SecondsPerMonth / (ProbeMinutes * 60);

    public const decimal Secrets = 12;

    /// <summary>The store holds what this many months have left in it.</summary>
    public const decimal MonthsKept = 12;

    /// <summary>The nightly export: rows of one read, rows a second, what compression leaves, nights kept, blobs of a night.</summary>
    public const decimal RowsPerRead = 1_000;
    public const decimal ExportRowsPerSecond = 5_000;
    public const decimal CompressedShare = 0.1m;
    public const decimal ExportsKept = 30;
    public const decimal BlobsPerExport = 60;

    /// <summary>
    /// The task hub in a storage account instead: a message is put, taken and deleted; a turn writes its history and its instance and
    /// reads them back; four control queues and the work items are polled every half minute when idle, five leases renewed every ten seconds.
    /// </summary>
    public const decimal QueueCallsPerAction = 3;
    public const decimal TableCallsPerTurn = 4;
    public const decimal IdleQueueCalls = 5 * SecondsPerMonth / 30;
    public const decimal IdleTableCalls = 5 * SecondsPerMonth / 10;
}
