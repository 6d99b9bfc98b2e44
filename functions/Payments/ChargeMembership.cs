using System.Globalization;
using Flex.Invoicing;

namespace Flex.Payments;

/// <summary>Charges a period of a membership.</summary>
public sealed class ChargeMembership(ChargeAtOnce charges) : IMembershipBilling
{
    /// <summary>A renewal is repeated by its orchestration; a sign-up whose request dies has nobody.</summary>
    public Task<ChargeOutcome> ChargeAsync(MembershipCharge charge, CancellationToken cancellation) => charges.RunAsync(
        new AtOnce(
            charge.InvoiceId,
            charge.Kind,
            charge.CustomerId,
            charge.MemberId,
            charge.LocationId,
            new InvoiceLine(charge.Description, 1, charge.Net, charge.Net, charge.LocationId, null, null, null, charge.Period.PeriodStart),
            charge.TaxRateId,
            charge.Kind == InvoiceKind.SignUp ? "Sign-up" : "Renewal",
            charge.Period,
            charge.Replaces,
            AttemptOrigin.Membership,
            KeyOf(charge),
            IsLookedAfter: charge.Kind != InvoiceKind.SignUp),
        cancellation);

    private static string KeyOf(MembershipCharge charge) => string.Create(
        CultureInfo.InvariantCulture, $"renewal:{charge.Period.MembershipId}:{charge.Period.PeriodStart:uuuu-MM-dd}:{charge.Period.AttemptNo}");
}
