using Flex.Platform.Http;
using Flex.Platform.Identity;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace Flex.Catalogue;

/// <summary>HTTP surface of plans, resources and rates.</summary>
public sealed class CatalogueFunctions(SavePlanHandler plans, SaveResourceHandler resources, SaveRateHandler rates, CatalogueReader reader)
{
    [Function("Plans_Create"), Allow(Role.Staff)]
    [Operation("Add a plan", Body = typeof(PlanRequest), Response = typeof(PlanView), Status = 201, IdempotencyKey = Need.Optional,
        Errors = [ErrorCodes.UnknownReference, ErrorCodes.CurrencyMismatch, ErrorCodes.IdempotencyKeyReuse])]
    public Task<IResult> CreatePlan(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/plans")] HttpRequest request, CancellationToken cancellation) =>
        request.HandleAsync<PlanRequest, PlanView>(
            plans.CreateAsync, Respond.Created<PlanView>(v => $"/api/v1/plans/{v.Id}"), cancellation);

    [Function("Plans_List"), Allow(Role.Staff, Role.Member)]
    [Operation("List the plans", Query = typeof(PlanFilter), Response = typeof(PageOf<PlanView>))]
    public Task<IResult> ListPlans(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/plans")] HttpRequest request, CancellationToken cancellation) =>
        request.ListAsync<PlanFilter, PlanView>(reader.ListPlansAsync, cancellation);

    [Function("Plans_Get"), Allow(Role.Staff, Role.Member)]
    [Operation("Read a plan", Response = typeof(PlanView), Errors = [ErrorCodes.NotFound])]
    public Task<IResult> GetPlan(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/plans/{id}")] HttpRequest request, string id, CancellationToken cancellation) =>
        request.GetAsync<PlanId, PlanView>(id, reader.GetPlanAsync, cancellation);

    [Function("Plans_Edit"), Allow(Role.Staff)]
    [Operation("Change a plan", Body = typeof(PlanRequest), Response = typeof(PlanView), IfMatch = Need.Required,
        Errors = [ErrorCodes.NotFound, ErrorCodes.Stale, ErrorCodes.UnknownReference, ErrorCodes.CurrencyMismatch, ErrorCodes.InvalidTransition])]
    public Task<IResult> EditPlan(
        [HttpTrigger(AuthorizationLevel.Anonymous, "put", Route = "v1/plans/{id}")] HttpRequest request, string id, CancellationToken cancellation) =>
        request.HandleAsync<PlanId, PlanRequest, PlanView>(id, plans.EditAsync, cancellation);

    [Function("Resources_Create"), Allow(Role.Staff)]
    [Operation("Add a resource", Body = typeof(ResourceRequest), Response = typeof(ResourceView), Status = 201, IdempotencyKey = Need.Optional,
        Errors = [ErrorCodes.UnknownReference, ErrorCodes.CurrencyMismatch, ErrorCodes.ResourceRateRequired, ErrorCodes.IdempotencyKeyReuse])]
    public Task<IResult> CreateResource(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/resources")] HttpRequest request, CancellationToken cancellation) =>
        request.HandleAsync<ResourceRequest, ResourceView>(
            resources.CreateAsync, Respond.Created<ResourceView>(v => $"/api/v1/resources/{v.Id}"), cancellation);

    [Function("Resources_List"), Allow(Role.Staff, Role.Member)]
    [Operation("List the resources", Query = typeof(ResourceFilter), Response = typeof(PageOf<ResourceView>))]
    public Task<IResult> ListResources(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/resources")] HttpRequest request, CancellationToken cancellation) =>
        request.ListAsync<ResourceFilter, ResourceView>(reader.ListResourcesAsync, cancellation);

    [Function("Resources_Get"), Allow(Role.Staff, Role.Member)]
    [Operation("Read a resource", Response = typeof(ResourceView), Errors = [ErrorCodes.NotFound])]
    public Task<IResult> GetResource(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/resources/{id}")] HttpRequest request, string id, CancellationToken cancellation) =>
        request.GetAsync<ResourceId, ResourceView>(id, reader.GetResourceAsync, cancellation);

    [Function("Resources_Edit"), Allow(Role.Staff)]
    [Operation("Change a resource", Body = typeof(ResourceRequest), Response = typeof(ResourceView), IfMatch = Need.Required,
        Errors = [ErrorCodes.NotFound, ErrorCodes.Stale, ErrorCodes.UnknownReference, ErrorCodes.CurrencyMismatch, ErrorCodes.ResourceRateRequired])]
    public Task<IResult> EditResource(
        [HttpTrigger(AuthorizationLevel.Anonymous, "put", Route = "v1/resources/{id}")] HttpRequest request, string id, CancellationToken cancellation) =>
        request.HandleAsync<ResourceId, ResourceRequest, ResourceView>(id, resources.EditAsync, cancellation);

    [Function("Rates_Create"), Allow(Role.Staff)]
    [Operation("Add a rate", Body = typeof(RateRequest), Response = typeof(RateView), Status = 201, IdempotencyKey = Need.Optional,
        Errors = [ErrorCodes.UnknownReference, ErrorCodes.CurrencyMismatch, ErrorCodes.IdempotencyKeyReuse])]
    public Task<IResult> CreateRate(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/rates")] HttpRequest request, CancellationToken cancellation) =>
        request.HandleAsync<RateRequest, RateView>(
            rates.CreateAsync, Respond.Created<RateView>(v => $"/api/v1/rates/{v.Id}"), cancellation);

    [Function("Rates_List"), Allow(Role.Staff, Role.Member)]
    [Operation("List the rates", Query = typeof(RateFilter), Response = typeof(PageOf<RateView>))]
    public Task<IResult> ListRates(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/rates")] HttpRequest request, CancellationToken cancellation) =>
        request.ListAsync<RateFilter, RateView>(reader.ListRatesAsync, cancellation);

    [Function("Rates_Get"), Allow(Role.Staff, Role.Member)]
    [Operation("Read a rate", Response = typeof(RateView), Errors = [ErrorCodes.NotFound])]
    public Task<IResult> GetRate(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/rates/{id}")] HttpRequest request, string id, CancellationToken cancellation) =>
        request.GetAsync<RateId, RateView>(id, reader.GetRateAsync, cancellation);

    [Function("Rates_Edit"), Allow(Role.Staff)]
    [Operation("Change a rate", Body = typeof(RateRequest), Response = typeof(RateView), IfMatch = Need.Required,
        Errors = [ErrorCodes.NotFound, ErrorCodes.Stale, ErrorCodes.UnknownReference, ErrorCodes.CurrencyMismatch])]
    public Task<IResult> EditRate(
        [HttpTrigger(AuthorizationLevel.Anonymous, "put", Route = "v1/rates/{id}")] HttpRequest request, string id, CancellationToken cancellation) =>
        request.HandleAsync<RateId, RateRequest, RateView>(id, rates.EditAsync, cancellation);
}
