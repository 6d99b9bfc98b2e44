using System.Globalization;
using Flex.Memberships;
using NodaTime;
using NodaTime.Text;

namespace Flex.Renewals;

/// <summary>
/// Names of orchestrations, activities, events and instances. They are stored in running instances: never renamed. A
/// breaking change gets a new version beside the old one, which goes when no instance of it is left.
/// </summary>
public static class RenewalNames
{
    public const string Day = "RenewalDay_v1";
    public const string Renewal = "Renewal_v1";
    public const string ListDue = "Renewals_ListDue_v1";
    public const string StartBatch = "Renewals_StartBatch_v1";
    public const string Step = "Renewals_Step_v1";

    public const string PaymentSettled = RenewalLook.PaymentSettled;
    public const string PaymentSourceUpdated = RenewalLook.PaymentSourceUpdated;
    public const string StatusChanged = RenewalLook.StatusChanged;

    private static readonly LocalDatePattern DatePattern = LocalDatePattern.CreateWithInvariantCulture("uuuuMMdd");

    /// <summary>One per location and local day; started every hour, runs while there is something to start.</summary>
    public static string DayInstance(LocationId location, LocalDate day) => $"renewals-{location}-{DatePattern.Format(day)}";

    /// <summary>One per membership and period, once ever; a period that has to be watched again counts its run.</summary>
    public static string RenewalInstance(MembershipId membership, LocalDate periodStart, int run)
    {
        string first = $"renewal-{membership}-{DatePattern.Format(periodStart)}";
        return run == 0 ? first : string.Create(CultureInfo.InvariantCulture, $"{first}-{run}");
    }
}
