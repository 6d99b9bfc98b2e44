using Flex.Invoicing;
using Flex.Members;
using Microsoft.Extensions.DependencyInjection;
using NodaTime;
using Stripe;
using Customer = Flex.Members.Customer;

namespace Flex.Payments;

/// <summary>
/// Stripe behind the gateway port. Its library does not repeat calls by itself: what may be repeated, and when, is decided by the attempt's
/// own record.
/// </summary>
public sealed class StripeGateway : IPaymentGateway
{
    public const string HttpClientName = "stripe";

    private const string BankAccountType = "us_bank_account";

    /// <summary>Looking for a payment, at most this many of the customer's latest are read.</summary>
    private const int MaxListed = 1000;

    private readonly StripeSettings _settings;
    private readonly IHttpClientFactory _http;

    public StripeGateway(StripeSettings settings, IHttpClientFactory http)
    {
        _settings = settings;
        _http = http;
    }

    public bool IsConnected => _settings.ApiKey.Length > 0;

    /// <summary>The smallest read that needs a permission every working key has anyway.</summary>
    public async Task PingAsync(CancellationToken cancellation)
    {
        try
        {
            await new PaymentIntentService(Client()).ListAsync(new PaymentIntentListOptions { Limit = 1 }, null, cancellation);
        }
        catch (Exception fault) when (StripeOutcomes.IsFault(fault, cancellation))
        {
            throw StripeOutcomes.OfCallFault(fault);
        }
    }

    public async Task<PaymentObservation> ChargeAsync(GatewayCharge charge, CancellationToken cancellation)
    {
        if (!StripeAmounts.TryToStripe(charge.Amount, out long amount))
        {
            return new PaymentObservation(AttemptState.Failed, FailureCode: "invalid_charge_amount");
        }

        var options = new PaymentIntentCreateOptions
        {
            Amount = amount,
            Currency = charge.Amount.Currency.Code,
            Customer = charge.GatewayCustomerId,
            PaymentMethod = charge.PaymentMethodId,
            AllowedPaymentMethodTypes = [charge.MethodKind == PaymentMethodKind.BankAccount ? BankAccountType : "card"],
            OffSession = true,
            Confirm = true,
            Description = charge.Description,
            Metadata = new Dictionary<string, string>(charge.Metadata),
        };
        try
        {
            PaymentIntent intent = await new PaymentIntentService(Client()).CreateAsync(
                options, new RequestOptions { IdempotencyKey = charge.Key }, cancellation);
            return StripeOutcomes.Of(intent);
        }
        catch (Exception fault) when (StripeOutcomes.IsFault(fault, cancellation))
        {
            return StripeOutcomes.OfChargeFault(fault);
        }
    }

    public Task<GatewayPayment?> FindPaymentAsync(string paymentId, CancellationToken cancellation) => LookAsync(
        async () => Payment(await new PaymentIntentService(Client()).GetAsync(paymentId, null, null, cancellation)), cancellation);

    public async Task<GatewayPayment?> FindPaymentAsync(
        string gatewayCustomerId, PaymentReference reference, Instant since, CancellationToken cancellation) => await LookAsync(
            async () =>
            {
                var options = new PaymentIntentListOptions
                {
                    Customer = gatewayCustomerId,
                    Created = new DateRangeOptions { GreaterThanOrEqual = since.ToDateTimeUtc() },
                    Limit = 100,
                };
                int read = 0;
                await foreach (PaymentIntent intent in new PaymentIntentService(Client()).ListAutoPagingAsync(options, null, cancellation))
                {
                    if (StripeOutcomes.ReferenceOf(intent) == reference)
                    {
                        return Payment(intent);
                    }

                    if (++read == MaxListed)
                    {
                        throw new TransientFaultException("The customer has too many payments to be sure that none is this one.");
                    }
                }

                return null;
            },
            cancellation);

    public async Task<RefundObservation> RefundAsync(RefundOrder order, CancellationToken cancellation)
    {
        var options = new RefundCreateOptions
        {
            PaymentIntent = order.PaymentId,
            Amount = order.Amount.Minor,
            Metadata = StripeOutcomes.MetadataOf(order.Reference),
        };
        try
        {
            Stripe.Refund made = await new RefundService(Client()).CreateAsync(
                options, new RequestOptions { IdempotencyKey = order.Key }, cancellation);
            return StripeOutcomes.Of(made);
        }
        catch (Exception fault) when (StripeOutcomes.IsFault(fault, cancellation))
        {
            return StripeOutcomes.OfRefundFault(fault);
        }
    }

    public async Task<IReadOnlyList<GatewayRefund>> FindRefundsAsync(string paymentId, CancellationToken cancellation)
    {
        try
        {
            var refunds = new List<GatewayRefund>();
            var options = new RefundListOptions { PaymentIntent = paymentId, Limit = 100 };
            await foreach (Stripe.Refund refund in new RefundService(Client()).ListAutoPagingAsync(options, null, cancellation))
            {
                refunds.Add(new GatewayRefund(
                    refund.Id,
                    StripeOutcomes.ReferenceOf(refund),
                    new Money(refund.Amount, Currency.Parse(refund.Currency)),
                    StripeOutcomes.Of(refund)));
            }

            return refunds;
        }
        catch (Exception fault) when (StripeOutcomes.IsFault(fault, cancellation))
        {
            throw StripeOutcomes.OfCallFault(fault);
        }
    }

    public Task<string?> FindPaymentIdAsync(string chargeOrRefundId, CancellationToken cancellation) => LookAsync(
        async () => chargeOrRefundId.StartsWith("ch_", StringComparison.Ordinal) || chargeOrRefundId.StartsWith("py_", StringComparison.Ordinal)
            ? (string?)(await new ChargeService(Client()).GetAsync(chargeOrRefundId, null, null, cancellation)).PaymentIntentId
            : (await new RefundService(Client()).GetAsync(chargeOrRefundId, null, null, cancellation)).PaymentIntentId,
        cancellation);

    public Task<GatewayDispute?> FindDisputeAsync(string disputeId, CancellationToken cancellation) => LookAsync(
        async () =>
        {
            Dispute dispute = await new DisputeService(Client()).GetAsync(disputeId, null, null, cancellation);
            return (GatewayDispute?)new GatewayDispute(dispute.PaymentIntentId, dispute.Status == "lost", dispute.Reason ?? "dispute_lost");
        },
        cancellation);

    public async Task<string> CreateCustomerAsync(Customer customer, CancellationToken cancellation)
    {
        // Only what never changes goes along: the same key with other values would be refused.
        var options = new CustomerCreateOptions { Metadata = new Dictionary<string, string> { ["customer_id"] = customer.Id.Value } };
        try
        {
            Stripe.Customer created = await new CustomerService(Client()).CreateAsync(
                options, new RequestOptions { IdempotencyKey = "customer:" + customer.Id.Value }, cancellation);
            return created.Id;
        }
        catch (Exception fault) when (StripeOutcomes.IsFault(fault, cancellation))
        {
            throw StripeOutcomes.OfCallFault(fault);
        }
    }

    public async Task<Result<PaymentMethodOnFile>> AttachAsync(
        string paymentMethodId, string gatewayCustomerId, string key, CancellationToken cancellation)
    {
        try
        {
            PaymentMethod attached = await new PaymentMethodService(Client()).AttachAsync(
                paymentMethodId,
                new PaymentMethodAttachOptions { Customer = gatewayCustomerId },
                new RequestOptions { IdempotencyKey = key },
                cancellation);
            return attached.UsBankAccount is not null && !await HasMandateAsync(attached, gatewayCustomerId, key, cancellation)
                ? new Error(ErrorKind.PaymentFailed, ErrorCodes.PaymentFailed, "The bank account has to be verified first.")
                {
                    Extensions = new Dictionary<string, object?> { ["declineCode"] = "verification_required" },
                }
                : OnFile(attached);
        }
        catch (StripeException refused) when (refused.StripeError is { Type: "card_error" } error)
        {
            return new Error(ErrorKind.PaymentFailed, ErrorCodes.PaymentFailed, "The payment method was declined.")
            {
                Extensions = new Dictionary<string, object?> { ["declineCode"] = DeclineCodes.Shown(error.DeclineCode ?? error.Code) },
            };
        }
        catch (StripeException refused) when (refused.StripeError is { Type: "invalid_request_error" })
        {
            return Error.Invalid(ErrorCodes.UnknownReference, "/paymentMethod", "The gateway does not know this payment method, or it is used up.");
        }
        catch (Exception fault) when (StripeOutcomes.IsFault(fault, cancellation))
        {
            throw StripeOutcomes.OfCallFault(fault);
        }
    }

    /// <summary>
    /// Bank accounts are debited under a mandate. Whoever adds the account here accepts it on the payer's behalf; false when the bank
    /// wants the account verified before.
    /// </summary>
    private async Task<bool> HasMandateAsync(PaymentMethod bank, string gatewayCustomerId, string key, CancellationToken cancellation)
    {
        var options = new SetupIntentCreateOptions
        {
            Customer = gatewayCustomerId,
            PaymentMethod = bank.Id,
            AllowedPaymentMethodTypes = [BankAccountType],
            Usage = "off_session",
            Confirm = true,
            MandateData = new SetupIntentMandateDataOptions
            {
                CustomerAcceptance = new SetupIntentMandateDataCustomerAcceptanceOptions
                {
                    Type = "offline",
                    Offline = new SetupIntentMandateDataCustomerAcceptanceOfflineOptions(),
                },
            },
        };
        SetupIntent setup = await new SetupIntentService(Client()).CreateAsync(
            options, new RequestOptions { IdempotencyKey = key + ":mandate" }, cancellation);
        return setup.Status == "succeeded";
    }

    private static async Task<T?> LookAsync<T>(Func<Task<T?>> look, CancellationToken cancellation)
        where T : class
    {
        try
        {
            return await look();
        }
        catch (StripeException missing) when (missing.HttpStatusCode == System.Net.HttpStatusCode.NotFound)
        {
            return null;
        }
        catch (Exception fault) when (StripeOutcomes.IsFault(fault, cancellation))
        {
            throw StripeOutcomes.OfCallFault(fault);
        }
    }

    private static GatewayPayment? Payment(PaymentIntent intent) => new(StripeOutcomes.ReferenceOf(intent), StripeOutcomes.Of(intent));

    private static PaymentMethodOnFile OnFile(PaymentMethod method) => method switch
    {
        { UsBankAccount: { } bank } => new PaymentMethodOnFile(method.Id, PaymentMethodKind.BankAccount, bank.BankName ?? "bank", bank.Last4 ?? string.Empty),
        { Card: { } card } => new PaymentMethodOnFile(method.Id, PaymentMethodKind.Card, card.Brand ?? "card", card.Last4 ?? string.Empty),
        _ => new PaymentMethodOnFile(method.Id, PaymentMethodKind.Card, method.Type ?? "card", string.Empty),
    };

    /// <summary>Made for each call: it is a thin shell, and the factory owns the connections and their lifetime.</summary>
    private StripeClient Client() => new(
        _settings.ApiKey,
        httpClient: new SystemNetHttpClient(_http.CreateClient(HttpClientName), maxNetworkRetries: 0, enableTelemetry: false),
        apiBase: _settings.ApiBase.Length > 0 ? _settings.ApiBase : null);
}
