using Flex.Platform.Http;
using Flex.Platform.Identity;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace Flex.Catalogue;

/// <summary>HTTP surface of the pictures of plans and resources.</summary>
public sealed class PictureFunctions(PictureHandler pictures)
{
    [Function("Plans_SetPicture"), Allow(Role.Staff)]
    [Operation("Give a plan a picture", BodyTypes = [Picture.Jpeg, Picture.Png, Picture.WebP], Response = typeof(PlanView), IfMatch = Need.Required,
        Errors = [ErrorCodes.NotFound, ErrorCodes.Stale])]
    public Task<IResult> SetOfPlan(
        [HttpTrigger(AuthorizationLevel.Anonymous, "put", Route = "v1/plans/{id}/image")] HttpRequest request, string id, CancellationToken cancellation) =>
        request.UploadAsync<PlanId, PlanView>(id, pictures.SetOfPlanAsync, cancellation);

    [Function("Plans_GetPicture"), Allow(Role.Staff, Role.Member)]
    [Operation("Read the picture of a plan", ResponseTypes = [Picture.Jpeg, Picture.Png, Picture.WebP], Errors = [ErrorCodes.NotFound])]
    public Task<IResult> GetOfPlan(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/plans/{id}/image")] HttpRequest request, string id, CancellationToken cancellation) =>
        request.DownloadAsync<PlanId>(id, pictures.ReadOfPlanAsync, cancellation);

    [Function("Plans_RemovePicture"), Allow(Role.Staff)]
    [Operation("Take the picture of a plan away", Response = typeof(PlanView), IfMatch = Need.Required, Errors = [ErrorCodes.NotFound, ErrorCodes.Stale])]
    public Task<IResult> RemoveFromPlan(
        [HttpTrigger(AuthorizationLevel.Anonymous, "delete", Route = "v1/plans/{id}/image")] HttpRequest request, string id, CancellationToken cancellation) =>
        request.ActAsync<PlanId, PlanView>(id, pictures.RemoveFromPlanAsync, cancellation);

    [Function("Resources_SetPicture"), Allow(Role.Staff)]
    [Operation("Give a resource a picture", BodyTypes = [Picture.Jpeg, Picture.Png, Picture.WebP], Response = typeof(ResourceView), IfMatch = Need.Required,
        Errors = [ErrorCodes.NotFound, ErrorCodes.Stale])]
    public Task<IResult> SetOfResource(
        [HttpTrigger(AuthorizationLevel.Anonymous, "put", Route = "v1/resources/{id}/image")] HttpRequest request, string id, CancellationToken cancellation) =>
        request.UploadAsync<ResourceId, ResourceView>(id, pictures.SetOfResourceAsync, cancellation);

    [Function("Resources_GetPicture"), Allow(Role.Staff, Role.Member)]
    [Operation("Read the picture of a resource", ResponseTypes = [Picture.Jpeg, Picture.Png, Picture.WebP], Errors = [ErrorCodes.NotFound])]
    public Task<IResult> GetOfResource(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/resources/{id}/image")] HttpRequest request, string id, CancellationToken cancellation) =>
        request.DownloadAsync<ResourceId>(id, pictures.ReadOfResourceAsync, cancellation);

    [Function("Resources_RemovePicture"), Allow(Role.Staff)]
    [Operation("Take the picture of a resource away", Response = typeof(ResourceView), IfMatch = Need.Required, Errors = [ErrorCodes.NotFound, ErrorCodes.Stale])]
    public Task<IResult> RemoveFromResource(
        [HttpTrigger(AuthorizationLevel.Anonymous, "delete", Route = "v1/resources/{id}/image")] HttpRequest request, string id, CancellationToken cancellation) =>
        request.ActAsync<ResourceId, ResourceView>(id, pictures.RemoveFromResourceAsync, cancellation);
}
