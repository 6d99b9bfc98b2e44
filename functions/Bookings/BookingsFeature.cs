using Flex.Platform.Messaging;
using Microsoft.Extensions.DependencyInjection;

namespace Flex.Bookings;

public static class BookingsFeature
{
    public static IServiceCollection AddBookings(this IServiceCollection services) => services
        .AddSingleton<BookingStore>()
        .AddSingleton<ResourceDayGate>()
        .AddSingleton<CreateBookingHandler>()
        .AddSingleton<BookingCanceller>()
        .AddSingleton<BookingReader>()
        .AddSingleton<IMessageHandler, IndexBooking>()
        .AddSingleton<IMessageHandler, CancelFutureBookingsHandler>()
        .AddSingleton<IMessageHandler, CancelAfterDowngrade>();
}
