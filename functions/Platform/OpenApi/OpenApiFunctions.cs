using Flex.Platform.Http;
using Flex.Platform.Identity;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace Flex.Platform.OpenApi;

public sealed class OpenApiFunctions(OpenApiDocument document)
{
    [Function("OpenApi_Get"), AllowAnyone("It describes the API and holds no data.")]
    [Operation("Read this description of the API")]
    public IResult Get([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/openapi.json")] HttpRequest request) =>
        new ApiResult(new StoredAnswer(StatusCodes.Status200OK, document.Json, null, document.ETag), replayed: false);
}
