using System.Text.RegularExpressions;
using Flex.Kernel;
using Flex.Tests.Shared;
using Xunit;

namespace Flex.Functions.Tests.Architecture;

public sealed partial class LayeringTests
{
    /// <summary>Files that hold decisions: pure functions of their arguments.</summary>
    private static readonly string[] Decisions =
    [
        "functions/Access/AccessPlan.cs",
        "functions/Access/MemberAccess.cs",
        "functions/Bookings/Agenda.cs",
        "functions/DayPasses/CheckIn.cs",
        "functions/DayPasses/DayPass.cs",
        "functions/DayPasses/PassChoice.cs",
        "functions/Bookings/AgendaSheet.cs",
        "functions/Bookings/BookingCancellation.cs",
        "functions/Bookings/BookingChanges.cs",
        "functions/Bookings/BookingPayment.cs",
        "functions/Bookings/BookingStates.cs",
        "functions/Bookings/Booking.cs",
        "functions/CalendarFeeds/CalendarText.cs",
        "functions/Invoicing/AccountCredit.cs",
        "functions/Invoicing/BookEntry.cs",
        "functions/Invoicing/ChargeFacts.cs",
        "functions/Invoicing/ClaimPlan.cs",
        "functions/Invoicing/CreditArithmetic.cs",
        "functions/Invoicing/CreditRules.cs",
        "functions/Invoicing/InvoiceArithmetic.cs",
        "functions/Invoicing/InvoiceDraft.cs",
        "functions/Invoicing/InvoiceStates.cs",
        "functions/Invoicing/PaymentAttempt.cs",
        "functions/Invoicing/Refund.cs",
        "functions/Memberships/Membership.cs",
        "functions/Bookings/BookingRules.cs",
        "functions/Catalogue/Picture.cs",
        "functions/Catalogue/RateRules.cs",
        "functions/Members/MemberStanding.cs",
        "functions/Wallets/DrawPlan.cs",
        "functions/Wallets/MemberTerms.cs",
        "functions/Wallets/PassPurchase.cs",
        "functions/Wallets/PassRules.cs",
        "functions/Wallets/PriceResolution.cs",
        "functions/Wallets/Wallet.cs",
        "functions/Wallets/WalletMail.cs",
        "functions/RecurringBookings/AccountingHorizon.cs",
        "functions/RecurringBookings/Recurrence.cs",
        "functions/RecurringBookings/RecurrenceRule.cs",
        "functions/RecurringBookings/RruleText.cs",
        "functions/RecurringBookings/Series.cs",
        "functions/RecurringBookings/SeriesOperation.cs",
        "functions/RecurringBookings/SeriesPlan.cs",
        "functions/RecurringBookings/SeriesSchedule.cs",
        "functions/RecurringBookings/SeriesSummary.cs",
        "functions/Renewals/RenewalLadder.cs",
        "functions/Renewals/RenewalMail.cs",
        "functions/Renewals/RenewalSlot.cs",
    ];

    [Theory]
    [InlineData(@"\bAzure\.Data\.Tables\b", "functions/Platform/Tables/")]
    [InlineData(@"using Stripe\b|\bStripe\.[A-Z]", "functions/Payments/Stripe")]
    [InlineData(@"\bUpsertEntity", "functions/Platform/Tables/")]
    [InlineData(@"\bETag\.All\b", "functions/Platform/")]
    [InlineData(@"\bSaltoClient\b", "functions/Access/")]
    public void A_technology_is_used_in_one_place(string pattern, string place)
    {
        string[] users = [.. SourceTree.Under("functions").Where(f => Regex.IsMatch(f.Code, pattern)).Select(f => f.Path)];

        Assert.All(users, path => Assert.StartsWith(place, path, StringComparison.Ordinal));
    }

    [Fact]
    public void Tables_and_the_gateway_are_used_at_all()
    {
        Assert.Contains(SourceTree.Under("functions/Platform/Tables"), f => f.Code.Contains("Azure.Data.Tables", StringComparison.Ordinal));
        Assert.Contains(SourceTree.Under("functions/Payments"), f => f.Code.Contains("using Stripe", StringComparison.Ordinal));
    }

    [Fact]
    public void Decisions_know_neither_time_nor_tasks_nor_logs_nor_fresh_ids()
    {
        foreach (string path in Decisions)
        {
            SourceTree.SourceFile file = SourceTree.Under(Path.GetDirectoryName(path)!).Single(f => f.Path == path);
            Assert.Empty(file.Matching(Impure()));
        }

        foreach (SourceTree.SourceFile file in SourceTree.Under("functions/Kernel").Where(f => !f.Path.EndsWith("Clock.cs", StringComparison.Ordinal) && !f.Path.EndsWith("EntityId.cs", StringComparison.Ordinal)))
        {
            Assert.Empty(file.Matching(Impure()));
        }
    }

    [Fact]
    public void Every_error_code_is_answered_somewhere()
    {
        string[] codes = [.. typeof(ErrorCodes).GetFields().Where(f => f.IsLiteral).Select(f => f.Name)];
        string code = string.Concat(SourceTree.Under("functions").Where(f => !f.Path.EndsWith("/ErrorCodes.cs", StringComparison.Ordinal)).Select(f => f.Code));

        Assert.True(codes.Length > 20);
        Assert.All(codes, name => Assert.Matches($@"\bErrorCodes\.{name}\b", code));
    }

    [Fact]
    public void Money_never_meets_a_double()
    {
        string[] offenders = [.. SourceTree.Under("functions/Kernel").Concat(SourceTree.Under("functions/Invoicing")).Concat(SourceTree.Under("functions/Payments"))
            .Concat(SourceTree.Under("functions/Bookings")).Concat(SourceTree.Under("functions/Memberships")).Concat(SourceTree.Under("functions/Renewals")).Concat(SourceTree.Under("functions/Wallets"))
            .Concat(SourceTree.Under("functions/Bookings")).Concat(SourceTree.Under("functions/Memberships")).Concat(SourceTree.Under("functions/Renewals"))
            .Concat(SourceTree.Under("functions/RecurringBookings"))
            .Where(f => Floating().IsMatch(f.Code)).Select(f => f.Path)];

        Assert.Empty(offenders);
    }

    [Fact]
    public void A_trigger_binds_and_hands_over_in_ten_lines()
    {
        int seen = 0;
        // An orchestrator is no trigger that hands over: it is the workflow.
        foreach (SourceTree.SourceFile file in SourceTree.Under("functions")
                     .Where(f => f.Code.Contains("[Function(", StringComparison.Ordinal) && !f.Code.Contains("[OrchestrationTrigger]", StringComparison.Ordinal)))
        {
            foreach (Match match in TriggerBody().Matches(file.Text))
            {
                seen++;
                int lines = match.Groups["body"].Value.Count(c => c == '\n');
                Assert.True(lines <= 10, $"{file.Path}: {match.Groups["name"].Value} has {lines} lines.");
            }
        }

        Assert.True(seen > 10, $"Only {seen} triggers were found.");
    }

    [GeneratedRegex(@"\bTask\b|\bILogger\b|\bTimeProvider\b|\bIIdSource\b|\bAzure\b|\basync\b")]
    private static partial Regex Impure();

    [GeneratedRegex(@"(?<!\w)(double|float)(?!\w)")]
    private static partial Regex Floating();

    [GeneratedRegex(@"\[Function\((?<name>[^)]*)\)(?s:.*?)(?:Trigger)(?s:.*?)\n    \{\n(?<body>(?s:.*?))\n    \}|\[Function\((?<name>[^)]*)\)(?s:.*?)=>(?<body>(?s:[^;]*));")]
    private static partial Regex TriggerBody();
}
