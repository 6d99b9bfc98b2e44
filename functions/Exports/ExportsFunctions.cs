using Flex.Platform.Http;
using Flex.Platform.Identity;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace Flex.Exports;

/// <summary>HTTP surface of the exports.</summary>
public sealed class ExportsFunctions(ExportReader exports)
{
    [Function("Exports_List"), Allow(Role.Owner)]
    [Operation("List the complete exports of the store", Query = typeof(NoQuery), Response = typeof(PageOf<ExportView>))]
    public Task<IResult> List(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/exports")] HttpRequest request, CancellationToken cancellation) =>
        request.ListAsync<NoQuery, ExportView>(exports.ListAsync, cancellation);

    [Function("Exports_Get"), Allow(Role.Owner)]
    [Operation("Read an export's manifest, with a short-lived link to each of its parts", Response = typeof(ExportDetails), Errors = [ErrorCodes.NotFound])]
    public Task<IResult> Get(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/exports/{id}")] HttpRequest request, string id, CancellationToken cancellation) =>
        request.GetAsync((context, ct) => exports.GetAsync(id, context, ct), cancellation);
}
