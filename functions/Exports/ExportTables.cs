namespace Flex.Exports;

/// <summary>
/// The tables that hold the business, and nothing but those: an account may also hold the task hub's and the host's own. A test
/// compares the list with the stores.
/// </summary>
public static class ExportTables
{
    public static IReadOnlyList<string> All { get; } =
    [
        "Mail", "access", "billing", "bookings", "catalogue", "daypasses", "feeds", "members", "memberships", "settings", "wallets",
    ];
}
