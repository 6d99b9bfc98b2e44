using Flex.Platform.Http;
using Flex.Platform.Identity;
using Flex.Platform.Limits;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace Flex.Wallets;

/// <summary>HTTP surface of wallets.</summary>
public sealed class WalletFunctions(ReadWalletHandler read, BuyPassesHandler buy, ManagePassesHandler passes, GrantCreditHandler grants)
{
    private const string OfMember = "v1/members/{id}/";

    [Function("Wallet_Get"), Allow(Role.Staff, Role.Member)]
    [Operation("Read what a member has of credits and booking passes", Response = typeof(WalletView), Errors = [ErrorCodes.NotFound])]
    public Task<IResult> Get(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = OfMember + "wallet")] HttpRequest request, string id, CancellationToken cancellation) =>
        request.GetAsync<MemberId, WalletView>(id, read.HandleAsync, cancellation);

    [Function("BookingPasses_Buy"), Allow(Role.Staff, Role.Member), RateLimit(RatePolicy.Payments)]
    [Operation("Buy booking passes and pay now", Body = typeof(PassesRequest), Response = typeof(PassPurchaseView), Status = 201,
        IdempotencyKey = Need.Required,
        Errors = [
            ErrorCodes.PassNotOffered, ErrorCodes.PaymentMethodRequired, ErrorCodes.GatewayNotConnected, ErrorCodes.PaymentFailed,
            ErrorCodes.WalletFull, ErrorCodes.NotFound, ErrorCodes.IdempotencyKeyReuse])]
    public Task<IResult> Buy(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = OfMember + "booking-passes/purchases")] HttpRequest request,
        string id,
        CancellationToken cancellation) =>
        request.HandleAsync<MemberId, PassesRequest, PassPurchaseView>(
            id, buy.HandleAsync, Respond.Created<PassPurchaseView>(p => $"/api/v1/invoices/{p.InvoiceId}"), cancellation);

    [Function("BookingPasses_Assign"), Allow(Role.Staff)]
    [Operation("Give a member booking passes, free of charge", Body = typeof(PassesRequest), Response = typeof(IssuedPasses), Status = 201,
        IdempotencyKey = Need.Optional,
        Errors = [ErrorCodes.PassNotOffered, ErrorCodes.WalletFull, ErrorCodes.NotFound, ErrorCodes.IdempotencyKeyReuse])]
    public Task<IResult> Assign(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = OfMember + "booking-passes")] HttpRequest request,
        string id,
        CancellationToken cancellation) =>
        request.HandleAsync<MemberId, PassesRequest, IssuedPasses>(
            id, passes.AssignAsync, Respond.Created<IssuedPasses>(_ => $"/api/v1/members/{id}/wallet"), cancellation);

    [Function("BookingPasses_Remove"), Allow(Role.Staff)]
    [Operation("Remove a booking pass", Response = typeof(PassView), Errors = [ErrorCodes.NotFound])]
    public Task<IResult> Remove(
        [HttpTrigger(AuthorizationLevel.Anonymous, "delete", Route = OfMember + "booking-passes/{passId}")] HttpRequest request,
        string id,
        string passId,
        CancellationToken cancellation) =>
        request.ActAsync<MemberId, PassView>(
            id, (m, context, ct) => passes.RemoveAsync(m, Handling.RouteId<BookingPassId>(passId), context, ct), cancellation);

    [Function("CreditGrants_Create"), Allow(Role.Staff)]
    [Operation("Give a member credit beside the plan", Body = typeof(GrantCreditRequest), Response = typeof(GrantView), Status = 201,
        IdempotencyKey = Need.Optional,
        Errors = [
            ErrorCodes.UnknownReference, ErrorCodes.CurrencyMismatch, ErrorCodes.EndBeforeStart, ErrorCodes.WalletFull, ErrorCodes.NotFound,
            ErrorCodes.IdempotencyKeyReuse])]
    public Task<IResult> Grant(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = OfMember + "credit-grants")] HttpRequest request,
        string id,
        CancellationToken cancellation) =>
        request.HandleAsync<MemberId, GrantCreditRequest, GrantView>(
            id, grants.GrantAsync, Respond.Created<GrantView>(_ => $"/api/v1/members/{id}/wallet"), cancellation);

    [Function("CreditGrants_Withdraw"), Allow(Role.Staff)]
    [Operation("Withdraw what is left of a credit beside the plan", Response = typeof(GrantView), Errors = [ErrorCodes.NotFound])]
    public Task<IResult> Withdraw(
        [HttpTrigger(AuthorizationLevel.Anonymous, "delete", Route = OfMember + "credit-grants/{grantId}")] HttpRequest request,
        string id,
        string grantId,
        CancellationToken cancellation) =>
        request.ActAsync<MemberId, GrantView>(
            id, (m, context, ct) => grants.WithdrawAsync(m, Handling.RouteId<CreditGrantId>(grantId), context, ct), cancellation);
}
