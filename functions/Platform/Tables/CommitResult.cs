namespace Flex.Platform.Tables;

public enum CommitKind
{
    Committed,

    /// <summary>A row that was to be replaced or deleted has changed or is gone: read again.</summary>
    Stale,

    /// <summary>A row that was to be inserted exists: <see cref="CommitResult.Key"/> and its prefix say what it means.</summary>
    Duplicate,

    /// <summary>The service refused the batch itself. A defect in our code, never the caller's fault.</summary>
    Invalid,
}

/// <summary>What became of a commit. A lost answer is resolved by the adapter: Committed means it is there.</summary>
public sealed record CommitResult(CommitKind Kind, string? Key = null, string? Detail = null)
{
    public static CommitResult Committed { get; } = new(CommitKind.Committed);

    /// <summary>The answer to a batch without operations: the service would refuse it.</summary>
    public static CommitResult Empty { get; } = new(CommitKind.Invalid, null, "The batch has no operations.");

    /// <summary>
    /// The new version of each operation's row, in order, null for deleted ones; so that a second commit need not read what the
    /// first has written. Empty unless Committed, and when a lost answer had to be looked up: read then.
    /// </summary>
    public IReadOnlyList<string?> ETags { get; init; } = [];

    public bool IsCommitted => Kind == CommitKind.Committed;

    /// <summary>True when a row with this prefix was already there.</summary>
    public bool IsDuplicateOf(string prefix) => Kind == CommitKind.Duplicate && Key!.StartsWith(prefix, StringComparison.Ordinal);

    /// <summary>For commits that nothing can compete with: anything but Committed is a defect, Stale is transient.</summary>
    public void Require()
    {
        if (Kind == CommitKind.Stale)
        {
            throw new TransientFaultException($"Row '{Key}' changed while it was worked on.");
        }

        if (Kind != CommitKind.Committed)
        {
            throw new DefectException($"Commit refused: {Kind} {Key} {Detail}");
        }
    }

    /// <summary>By what became of the commit; versions are not part of that.</summary>
    public bool Equals(CommitResult? other) => other is not null && Kind == other.Kind && Key == other.Key && Detail == other.Detail;

    public override int GetHashCode() => HashCode.Combine(Kind, Key, Detail);
}
