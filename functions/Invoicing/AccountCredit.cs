using NodaTime;

namespace Flex.Invoicing;

/// <summary>What a customer has to their credit in one currency, for their next invoices.</summary>
/// <param name="Granted">All that was ever put on it.</param>
/// <param name="Applied">All that invoices have taken; never more than was granted.</param>
/// <param name="Entries">How many entries its history has.</param>
public sealed record AccountCredit(CustomerId CustomerId, Money Granted, Money Applied, long Entries)
{
    [System.Text.Json.Serialization.JsonIgnore]
    public Money Balance => Granted - Applied;

    public static AccountCredit None(CustomerId customer, Currency currency) => new(customer, Money.Zero(currency), Money.Zero(currency), 0);

    /// <summary>Puts an amount on it, from a credit note or a refund that could not be made.</summary>
    public AccountMove Grant(Money amount, InvoiceId invoice, string reason, Instant now)
    {
        AccountCredit next = this with { Granted = Granted + amount, Entries = Entries + 1 };
        return new AccountMove(next, new AccountCreditEntry(amount, next.Balance, invoice, reason, now));
    }

    /// <summary>Takes an amount off it for an invoice.</summary>
    public AccountMove Apply(Money amount, InvoiceId invoice, Instant now)
    {
        AccountCredit next = amount <= Balance
            ? this with { Applied = Applied + amount, Entries = Entries + 1 }
            : throw new DefectException($"{CustomerId} has {Balance} to their credit and not {amount}.");
        return new AccountMove(next, new AccountCreditEntry(-amount, next.Balance, invoice, "applied", now));
    }
}

/// <summary>One change of an account credit.</summary>
/// <param name="Amount">Negative when an invoice has taken it.</param>
/// <param name="Balance">After it.</param>
/// <param name="InvoiceId">The invoice that was credited or that took it.</param>
public sealed record AccountCreditEntry(Money Amount, Money Balance, InvoiceId InvoiceId, string Reason, Instant At);

/// <summary>A changed account credit and the entry that says why; to be committed together with the invoice.</summary>
/// <param name="ETag">The version that was read; null for the first move.</param>
public sealed record AccountMove(AccountCredit Account, AccountCreditEntry Entry, string? ETag = null);
