using System.Globalization;
using Flex.Members;
using Flex.Platform.Mail;

namespace Flex.Wallets;

/// <summary>What members are told about their passes. Pure.</summary>
public static class WalletMail
{
    /// <summary>BPS-10: the passes are used up, and where to buy more. Sent once for each booking that does it.</summary>
    public static OutgoingMail OfLastMinutes(Member member, Draw last) => new(
        string.Create(CultureInfo.InvariantCulture, $"{last.BookingId}.{last.Revision}.passes-used-up"),
        member.Email,
        "Your booking passes are used up",
        $"""
        Your last booking has taken the last minutes of your booking passes.

        Buy more before the next one: {Wallet.PurchaseLink(member.Id)}
        """);
}
