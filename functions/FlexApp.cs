using Flex.Access;
using Flex.Bookings;
using Flex.CalendarFeeds;
using Flex.Catalogue;
using Flex.DayPasses;
using Flex.Invoicing;
using Flex.Members;
using Flex.Memberships;
using Flex.Payments;
using Flex.Platform;
using Flex.Platform.Health;
using Flex.Platform.Http;
using Flex.Platform.Identity;
using Flex.Platform.Limits;
using Flex.Platform.Mail;
using Flex.Platform.Messaging;
using Flex.Platform.OpenApi;
using Flex.Platform.Telemetry;
using Flex.RecurringBookings;
using Flex.Renewals;
using Flex.Settings;
using Flex.Storefront;
using Flex.Wallets;
using FluentValidation;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Flex;

/// <summary>
/// The composition of the function app, the same in both runtimes. The host adds what differs: tables, blobs, the message
/// publisher, dead letters, and what it wants to replace.
/// </summary>
public static class FlexApp
{
    /// <summary>Our middleware, outermost first. A host runs it after the one that provides the HttpContext.</summary>
    public static IReadOnlyList<Type> Middleware { get; } =
        [typeof(ActionMiddleware), typeof(HttpMiddleware), typeof(AccessMiddleware), typeof(RateLimitMiddleware)];

    public static IServiceCollection AddFlex(this IServiceCollection services, IConfiguration configuration)
    {
        return services
            .AddPlatformStorage()
            .AddFlexTelemetry(configuration)
            .AddFlexHttp(configuration)
            .AddFlexIdentity(configuration)
            .AddFlexLimits(configuration)
            .AddFlexMail(configuration)
            .AddSettings()
            .AddCatalogue()
            .AddMembers()
            .AddBookings(configuration)
            .AddRecurringBookings()
            .AddStorefront()
            .AddCalendarFeeds()
            .AddInvoicing()
            .AddPayments(configuration)
            .AddDayPasses()
            .AddWallets()
            .AddMemberships()
            .AddRenewals()
            .AddAccess(configuration);
    }

    private static IServiceCollection AddFlexHttp(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddSettings<CorsSettings>(configuration, CorsSettings.Section);
        services.AddSingleton(new FunctionCatalog(typeof(FlexApp).Assembly));
        services.AddSingleton<HttpMiddleware>();
        services.AddSingleton<OpenApiDocument>();
        services.AddSingleton<Readiness>();
        services.AddSingleton<DeadLetterHandler>();
        services.Configure<Microsoft.AspNetCore.Http.Json.JsonOptions>(o => HttpJson.Apply(o.SerializerOptions));
        return services.AddValidators();
    }

    /// <summary>Every validator of the app, for the type it validates. They keep no state, so one of each is enough.</summary>
    private static IServiceCollection AddValidators(this IServiceCollection services)
    {
        var validators =
            from type in typeof(FlexApp).Assembly.GetTypes()
            where !type.IsAbstract && !type.IsGenericTypeDefinition
            from contract in type.GetInterfaces()
            where contract.IsGenericType && contract.GetGenericTypeDefinition() == typeof(IValidator<>)
            select (contract, type);
        foreach ((Type contract, Type type) in validators)
        {
            services.AddSingleton(contract, type);
        }

        return services;
    }
}
