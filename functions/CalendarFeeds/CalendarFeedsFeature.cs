using Microsoft.Extensions.DependencyInjection;

namespace Flex.CalendarFeeds;

public static class CalendarFeedsFeature
{
    public static IServiceCollection AddCalendarFeeds(this IServiceCollection services) => services
        .AddSingleton<CalendarFeedStore>()
        .AddSingleton<FeedBookings>()
        .AddSingleton<ManageFeeds>()
        .AddSingleton<ReadFeed>();
}
