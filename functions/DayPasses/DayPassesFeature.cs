using Flex.Platform.Messaging;
using Microsoft.Extensions.DependencyInjection;

namespace Flex.DayPasses;

public static class DayPassesFeature
{
    public static IServiceCollection AddDayPasses(this IServiceCollection services) => services
        .AddSingleton<DayPassStore>()
        .AddSingleton<MonthlyPasses>()
        .AddSingleton<PassTaker>()
        .AddSingleton<IssueDayPassesHandler>()
        .AddSingleton<CancelDayPassHandler>()
        .AddSingleton<CheckInHandler>()
        .AddSingleton<CheckOutHandler>()
        .AddSingleton<DayPassReader>()
        .AddSingleton<IMessageHandler, IssueSoldPassesHandler>()
        .AddSingleton<IMessageHandler, ReviewDayPassHandler>()
        .AddSingleton<IMessageHandler, EndCheckInDayHandler>()
        .AddSingleton<IMessageHandler, ReleaseSharedPassHandler>();
}
