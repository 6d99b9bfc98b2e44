namespace Flex.Functions.Tests.ObjectAccess;

/// <summary>A member and one of everything that belongs to members. Bookings and series are named after the function that they are kept for.</summary>
internal sealed class Person(string name, string customer)
{
    public string Name { get; } = name;

    public string Email { get; } = name.ToLowerInvariant() + "@example.test";

    public string Customer { get; } = customer;

    public string Member { get; set; } = string.Empty;

    public string Membership { get; set; } = string.Empty;

    public Dictionary<string, string> Bookings { get; } = [];

    public Dictionary<string, string> Series { get; } = [];

    public string Operation { get; set; } = string.Empty;

    public string Invoice { get; set; } = string.Empty;

    public string CheckIn { get; set; } = string.Empty;

    public string DayPass { get; set; } = string.Empty;

    public string BookingPass { get; set; } = string.Empty;

    public string Grant { get; set; } = string.Empty;

    /// <summary>Last segment of the calendar feed's path.</summary>
    public string Feed { get; set; } = string.Empty;

    /// <summary>What nobody but staff and this person may be told.</summary>
    public IEnumerable<string> Secrets =>
    [
        Name, Email, Member, Membership, .. Bookings.Values, .. Series.Values, Operation, CheckIn, DayPass, BookingPass, Grant, Feed,
    ];

    /// <summary>What the members of the same customer may be told beside.</summary>
    public IEnumerable<string> SecretsOfCustomer => [Customer, Invoice];
}
