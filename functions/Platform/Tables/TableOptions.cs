namespace Flex.Platform.Tables;

/// <summary>Where the tables are: configuration section <c>Tables</c>. Exactly one of the two ways is set.</summary>
public sealed class TableOptions : ISettings
{
    public const string Section = "Tables";

    /// <summary>The account's table endpoint, used with managed identity, e.g. <c>https://flexprod.table.core.windows.net</c>.</summary>
    public Uri? ServiceUri { get; set; }

    /// <summary>The user-assigned identity to use; null is the system-assigned one.</summary>
    public string? ClientId { get; set; }

    /// <summary>A connection string with a key, for the emulator.</summary>
    public string? ConnectionString { get; set; }

    /// <summary>Put before every table's name, so that several stores can share an account: nothing, or a letter and up to 19 letters and digits.</summary>
    public string Prefix { get; set; } = string.Empty;

    public IEnumerable<SettingFault> Faults()
    {
        foreach (SettingFault fault in StorageEndpoint.Faults(Section, ServiceUri, ClientId, ConnectionString))
        {
            yield return fault;
        }

        if (Prefix.Length > 0 && (Prefix.Length > 20 || !char.IsAsciiLetter(Prefix[0]) || !Prefix.All(char.IsAsciiLetterOrDigit)))
        {
            yield return new(nameof(Prefix), "must be a letter and at most 19 letters and digits.");
        }
    }
}
