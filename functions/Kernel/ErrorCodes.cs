namespace Flex.Kernel;

/// <summary>Every error code the API can answer, in one place. Codes are contract: they are added, never renamed.</summary>
public static class ErrorCodes
{
    // 400
    public const string MalformedRequest = "malformed_request";
    public const string UnknownParameter = "unknown_parameter";
    public const string InvalidCursor = "invalid_cursor";
    public const string IdempotencyKeyRequired = "idempotency_key_required";
    public const string IfMatchRequired = "if_match_required";
    public const string InvalidSignature = "invalid_signature";

    // 401, 403, 404, 405
    public const string Unauthenticated = "unauthenticated";
    public const string Forbidden = "forbidden";
    public const string NotFound = "not_found";
    public const string MethodNotAllowed = "method_not_allowed";

    // 402
    public const string PaymentFailed = "payment_failed";

    // 409
    public const string AccountNotActive = "account_not_active";
    public const string BookingConflict = "booking_conflict";
    public const string HoldExpired = "hold_expired";
    public const string BookingRequiresPass = "booking_requires_pass";
    public const string CancellationNotice = "cancellation_notice";
    public const string GatewayNotConnected = "gateway_not_connected";
    public const string InvalidTransition = "invalid_transition";
    public const string InvoiceClosed = "invoice_closed";
    public const string MembershipEndsBefore = "membership_ends_before";
    public const string OutOfPasses = "out_of_passes";
    public const string PassNotOffered = "pass_not_offered";
    public const string PaymentInProgress = "payment_in_progress";
    public const string PaymentMethodRequired = "payment_method_required";
    public const string PaymentRequired = "payment_required";
    public const string QuoteStale = "quote_stale";
    public const string RenewalDateInPast = "renewal_date_in_past";
    public const string ResourceNotAllowed = "resource_not_allowed";
    public const string ResourceRateRequired = "resource_rate_required";
    public const string WalletFull = "wallet_full";

    // 412, 413, 415
    public const string Stale = "stale";
    public const string BodyTooLarge = "body_too_large";
    public const string UnsupportedMediaType = "unsupported_media_type";

    // 422
    public const string BookingPolicy = "booking_policy";
    public const string CurrencyMismatch = "currency_mismatch";
    public const string EndBeforeStart = "end_before_start";
    public const string IdempotencyKeyReuse = "idempotency_key_reuse";
    public const string InThePast = "in_the_past";
    public const string InvalidValue = "invalid_value";
    public const string NoPassesLeft = "no_passes_left";
    public const string PassExpired = "pass_expired";
    public const string PassNotYetValid = "pass_not_yet_valid";
    public const string TimeOffGrid = "time_off_grid";
    public const string UnknownReference = "unknown_reference";

    // 429
    public const string RateLimited = "rate_limited";

    // 500, 503
    public const string Internal = "internal";
    public const string Unavailable = "unavailable";

    /// <summary>All codes with the sentence the API description carries.</summary>
    public static IReadOnlyDictionary<string, string> All { get; } = new SortedDictionary<string, string>(StringComparer.Ordinal)
    {
        [MalformedRequest] = "The body, a header or a path is not in the expected form.",
        [UnknownParameter] = "A query parameter is not known to this operation.",
        [InvalidCursor] = "The cursor was not issued by this list.",
        [IdempotencyKeyRequired] = "This operation moves money and needs an Idempotency-Key header.",
        [IfMatchRequired] = "This operation needs an If-Match header with the ETag that was read.",
        [InvalidSignature] = "The webhook signature is missing, wrong or too old.",
        [Unauthenticated] = "The bearer token is missing, expired or not acceptable.",
        [Forbidden] = "The caller's role may not do this.",
        [NotFound] = "There is no such thing, or it is not the caller's.",
        [MethodNotAllowed] = "The path exists, but not with this method.",
        [PaymentFailed] = "The payment was declined; declineCode says why.",
        [AccountNotActive] = "The operator's account is not Active.",
        [BookingConflict] = "The slot overlaps another booking; conflict holds its interval.",
        [HoldExpired] = "The slot was not settled or paid in time and has been given up.",
        [BookingRequiresPass] = "The member's plan works with booking passes, and there is neither credit nor pass for this resource.",
        [CancellationNotice] = "The notice has begun: only staff can cancel or change the booking now; until says when it was possible.",
        [GatewayNotConnected] = "No payment gateway is connected.",
        [InvalidTransition] = "The current state does not allow this; state and allowed say what does.",
        [InvoiceClosed] = "The invoice is closed and cannot be voided, removed, edited or collected.",
        [MembershipEndsBefore] = "The membership ends before the booking starts.",
        [OutOfPasses] = "The booking passes do not cover the booking; purchase says where to buy more.",
        [PassNotOffered] = "The member's plan does not offer this booking pass, or booking passes are switched off.",
        [PaymentInProgress] = "A payment is under way; wait for its outcome.",
        [PaymentMethodRequired] = "The customer has no payment method on file.",
        [PaymentRequired] = "This has to be paid now; a charge on a later invoice is not available to this member.",
        [QuoteStale] = "The price is not the quoted one any more, or the quote has run out.",
        [RenewalDateInPast] = "The renewal date is in the past; confirm the immediate charge or choose a future date.",
        [ResourceRateRequired] = "The resource has no rate and can be neither published nor booked.",
        [WalletFull] = "The member has as many booking passes and credits as a wallet holds.",
        [Stale] = "The resource changed since it was read.",
        [BodyTooLarge] = "The request body is over the limit.",
        [UnsupportedMediaType] = "The body is not of a media type that is accepted here.",
        [ResourceNotAllowed] = "The member may not book this resource.",
        [BookingPolicy] = "The resource's booking policy does not allow this; rule names which part of it.",
        [CurrencyMismatch] = "The currency is not the one of the location or of the thing charged for.",
        [EndBeforeStart] = "The end is not after the start.",
        [IdempotencyKeyReuse] = "The Idempotency-Key was used with another body.",
        [InThePast] = "The time is in the past.",
        [InvalidValue] = "A value is not acceptable; errors names the members.",
        [NoPassesLeft] = "No day pass is left that could be used here today.",
        [PassExpired] = "The day pass was valid until an earlier day.",
        [PassNotYetValid] = "The day pass is valid from a later day on.",
        [TimeOffGrid] = "Times must be on the 5-minute grid.",
        [UnknownReference] = "An id in the request refers to nothing.",
        [RateLimited] = "Too many calls; repeat after Retry-After.",
        [Internal] = "The service failed; the request id helps support.",
        [Unavailable] = "A dependency is busy or down; repeat after Retry-After.",
    };
}
