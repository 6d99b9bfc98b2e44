using Azure.Messaging.ServiceBus;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace Flex.Local.Tests.Hosting;

public static class OneOfTwo
{
    [Function("Same")]
    public static IResult A([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "one/{id}")] HttpRequest request) => Results.Ok(request.Method);
}

public static class OtherOfTwo
{
    [Function("same")]
    public static IResult B([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "other")] HttpRequest request) => Results.Ok(request.Method);

    [Function("Rival")]
    public static IResult C([HttpTrigger(AuthorizationLevel.Anonymous, "get", "post", Route = "/One/{key}")] HttpRequest request) => Results.Ok(request.Method);

    [Function("Keyed")]
    public static IResult D([HttpTrigger(AuthorizationLevel.Function, "get", Route = "keyed")] HttpRequest request) => Results.Ok(request.Method);

    [Function("Untriggered")]
    public static IResult E(HttpRequest request) => Results.Ok(request.Method);

    [Function("BadRoute")]
    public static IResult F([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "x/{id:nonsense}")] HttpRequest request) => Results.Ok(request.Method);

    [Function("Hidden")]
    internal static IResult G([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "hidden")] HttpRequest request) => Results.Ok(request.Method);

    [Function("Unsettled")]
    public static void Q([ServiceBusTrigger("q")] ServiceBusReceivedMessage message) => ArgumentNullException.ThrowIfNull(message);

    [Function("Texts")]
    public static void R([ServiceBusTrigger("r")] string message, ServiceBusMessageActions actions) => ArgumentNullException.ThrowIfNull(actions, message);

    public static class Inner
    {
        [Function("Nested")]
        public static IResult H([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "nested")] HttpRequest request) => Results.Ok(request.Method);
    }
}
