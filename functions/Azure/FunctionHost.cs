using Azure.Core.Serialization;
using Flex.Platform;
using Flex.Platform.Blobs;
using Flex.Platform.Http;
using Flex.Platform.Tables;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Azure.Functions.Worker.Middleware;
using Microsoft.Azure.Functions.Worker.OpenTelemetry;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

// Not Flex.Azure: such a namespace would hide Azure.* from every namespace below Flex.
namespace Flex.Hosting;

/// <summary>The entry point of the function app in Azure.</summary>
public static class FunctionHost
{
    public static void Main(string[] args)
    {
        FunctionsApplicationBuilder builder = FunctionsApplication.CreateBuilder(args);

        // First: it registers the middleware that provides the HttpContext, and ours needs that.
        builder.ConfigureFunctionsWebApplication();
        foreach (Type type in FlexApp.Middleware)
        {
            builder.Use(next => context => ((IFunctionsWorkerMiddleware)context.InstanceServices.GetRequiredService(type)).Invoke(context, next));
        }

        builder.Services
            .AddFlex(builder.Configuration)
            .AddAzureTables(builder.Configuration)
            .AddAzureBlobs(builder.Configuration)
            .AddServiceBus(builder.Configuration);

        // The Durable extension takes its data converter from the worker's serializer, and only from there.
        builder.Services.Configure<WorkerOptions>(o => o.Serializer = new JsonObjectSerializer(StorageJson.Options));

        // The last address in X-Forwarded-For is from Azure's front end, those before it are the client's word: rate limits rely on it.
        builder.Services.PostConfigure<ForwardedHeadersOptions>(o => o.ForwardLimit = 1);

        // The request reader has its own, smaller limits; this one bounds what reaches it.
        builder.Services.Configure<KestrelServerOptions>(o => o.Limits.MaxRequestBodySize = 2 * RequestBody.MaxFileBytes);
        builder.Services.AddOpenTelemetry().UseFunctionsWorkerDefaults();
        builder.Build().Run();
    }
}
