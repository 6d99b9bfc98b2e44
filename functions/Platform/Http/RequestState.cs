using Flex.Platform.Identity;
using Microsoft.AspNetCore.Http;

namespace Flex.Platform.Http;

/// <summary>What our middleware has found out about the request, kept with the <see cref="HttpContext"/>.</summary>
public static class RequestState
{
    private static readonly object CallerKey = new();
    private static readonly object EntryKey = new();
    private static readonly object CorrelationKey = new();

    /// <summary>Who calls; <see cref="Identity.Caller.Anonymous"/> on functions that anyone may call.</summary>
    public static Caller Caller(this HttpRequest request) => request.HttpContext.Items[CallerKey] as Caller ?? Identity.Caller.Anonymous;

    /// <summary>The request id: in logs, on messages, in problem documents.</summary>
    public static string CorrelationId(this HttpContext http) => http.Items[CorrelationKey] as string ?? http.TraceIdentifier;

    internal static FunctionEntry? Function(this HttpContext http) => http.Items[EntryKey] as FunctionEntry;

    internal static void Set(this HttpContext http, Caller caller) => http.Items[CallerKey] = caller;

    internal static void Set(this HttpContext http, FunctionEntry entry) => http.Items[EntryKey] = entry;

    internal static void SetCorrelationId(this HttpContext http, string correlationId) => http.Items[CorrelationKey] = correlationId;
}
