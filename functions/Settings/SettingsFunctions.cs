using Flex.Platform.Http;
using Flex.Platform.Identity;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace Flex.Settings;

/// <summary>HTTP surface of the operator's settings, locations and tax rates.</summary>
public sealed class SettingsFunctions(
    OperatorHandler operators, CreateLocationHandler createLocation, LocationHandler locations, TaxRateHandler taxRates)
{
    [Function("Operator_Get"), Allow(Role.Staff)]
    [Operation("Read the operator's settings", Response = typeof(OperatorView))]
    public Task<IResult> GetOperator(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/settings/operator")] HttpRequest request, CancellationToken cancellation) =>
        request.GetAsync(operators.GetAsync, cancellation);

    [Function("Operator_Edit"), Allow(Role.Staff)]
    [Operation("Change the operator's settings", Body = typeof(EditOperatorRequest), Response = typeof(OperatorView), IfMatch = Need.Required,
        Errors = [ErrorCodes.AccountNotActive, ErrorCodes.Stale, ErrorCodes.UnknownReference])]
    public Task<IResult> EditOperator(
        [HttpTrigger(AuthorizationLevel.Anonymous, "put", Route = "v1/settings/operator")] HttpRequest request, CancellationToken cancellation) =>
        request.HandleAsync<EditOperatorRequest, OperatorView>(operators.EditAsync, cancellation);

    [Function("Operator_Activate"), Allow(Role.Owner)]
    [Operation("Take the account into service", Response = typeof(OperatorView), IfMatch = Need.Optional, IdempotencyKey = Need.Optional,
        Errors = [ErrorCodes.InvalidTransition, ErrorCodes.Stale])]
    public Task<IResult> ActivateOperator(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/settings/operator/activate")] HttpRequest request, CancellationToken cancellation) =>
        request.ActAsync(operators.ActivateAsync, Respond.Ok<OperatorView>(), cancellation);

    [Function("Operator_Suspend"), Allow(Role.Owner)]
    [Operation("Suspend the account and its automatic billing", Response = typeof(OperatorView), IfMatch = Need.Optional, IdempotencyKey = Need.Optional,
        Errors = [ErrorCodes.InvalidTransition, ErrorCodes.Stale])]
    public Task<IResult> SuspendOperator(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/settings/operator/suspend")] HttpRequest request, CancellationToken cancellation) =>
        request.ActAsync(operators.SuspendAsync, Respond.Ok<OperatorView>(), cancellation);

    [Function("Locations_Create"), Allow(Role.Staff)]
    [Operation("Add a location", Body = typeof(LocationRequest), Response = typeof(LocationView), Status = 201, IdempotencyKey = Need.Optional,
        Errors = [ErrorCodes.IdempotencyKeyReuse])]
    public Task<IResult> CreateLocation(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/locations")] HttpRequest request, CancellationToken cancellation) =>
        request.HandleAsync<LocationRequest, LocationView>(
            createLocation.HandleAsync, Respond.Created<LocationView>(l => $"/api/v1/locations/{l.Id}"), cancellation);

    [Function("Locations_List"), Allow(Role.Staff, Role.Member)]
    [Operation("List the locations", Query = typeof(NoQuery), Response = typeof(PageOf<LocationView>))]
    public Task<IResult> ListLocations(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/locations")] HttpRequest request, CancellationToken cancellation) =>
        request.ListAsync<NoQuery, LocationView>(locations.ListAsync, cancellation);

    [Function("Locations_Get"), Allow(Role.Staff, Role.Member)]
    [Operation("Read a location", Response = typeof(LocationView), Errors = [ErrorCodes.NotFound])]
    public Task<IResult> GetLocation(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/locations/{id}")] HttpRequest request, string id, CancellationToken cancellation) =>
        request.GetAsync<LocationId, LocationView>(id, locations.GetAsync, cancellation);

    [Function("Locations_Edit"), Allow(Role.Staff)]
    [Operation("Change a location", Body = typeof(LocationRequest), Response = typeof(LocationView), IfMatch = Need.Required,
        Errors = [ErrorCodes.NotFound, ErrorCodes.Stale, ErrorCodes.CurrencyMismatch])]
    public Task<IResult> EditLocation(
        [HttpTrigger(AuthorizationLevel.Anonymous, "put", Route = "v1/locations/{id}")] HttpRequest request, string id, CancellationToken cancellation) =>
        request.HandleAsync<LocationId, LocationRequest, LocationView>(id, locations.EditAsync, cancellation);

    [Function("TaxRates_Create"), Allow(Role.Staff)]
    [Operation("Add a tax rate", Body = typeof(CreateTaxRateRequest), Response = typeof(TaxRateView), Status = 201, IdempotencyKey = Need.Optional,
        Errors = [ErrorCodes.IdempotencyKeyReuse])]
    public Task<IResult> CreateTaxRate(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/tax-rates")] HttpRequest request, CancellationToken cancellation) =>
        request.HandleAsync<CreateTaxRateRequest, TaxRateView>(
            taxRates.CreateAsync, Respond.Created<TaxRateView>(t => $"/api/v1/tax-rates/{t.Id}"), cancellation);

    [Function("TaxRates_List"), Allow(Role.Staff)]
    [Operation("List the tax rates", Query = typeof(NoQuery), Response = typeof(PageOf<TaxRateView>))]
    public Task<IResult> ListTaxRates(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/tax-rates")] HttpRequest request, CancellationToken cancellation) =>
        request.ListAsync<NoQuery, TaxRateView>(taxRates.ListAsync, cancellation);

    [Function("TaxRates_Get"), Allow(Role.Staff)]
    [Operation("Read a tax rate", Response = typeof(TaxRateView), Errors = [ErrorCodes.NotFound])]
    public Task<IResult> GetTaxRate(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/tax-rates/{id}")] HttpRequest request, string id, CancellationToken cancellation) =>
        request.GetAsync<TaxRateId, TaxRateView>(id, taxRates.GetAsync, cancellation);
}
