using Flex.Platform.Messaging;
using Microsoft.Extensions.DependencyInjection;

namespace Flex.RecurringBookings;

public static class RecurringBookingsFeature
{
    public static IServiceCollection AddRecurringBookings(this IServiceCollection services) => services
        .AddSingleton<SeriesStore>()
        .AddSingleton<SeriesPlanner>()
        .AddSingleton<SeriesRunner>()
        .AddSingleton<SeriesSummaries>()
        .AddSingleton<OccurrenceAccounts>()
        .AddSingleton<CreateSeriesHandler>()
        .AddSingleton<SeriesReader>()
        .AddSingleton<SeriesCommands>()
        .AddSingleton<CancelSeriesHandler>()
        .AddSingleton<UpdateSeriesHandler>()
        .AddSingleton<IncludeOccurrenceHandler>()
        .AddSingleton<SeriesAccountant>()
        .AddSingleton<DueSeriesRun>()
        .AddSingleton<IMessageHandler, AccountSeriesHandler>()
        .AddSingleton<IMessageHandler, ContinueOperationHandler>()
        .AddSingleton<IMessageHandler, IndexSeries>();
}
