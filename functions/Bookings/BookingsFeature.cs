using Flex.Platform;
using Flex.Platform.Messaging;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Flex.Bookings;

public static class BookingsFeature
{
    public static IServiceCollection AddBookings(this IServiceCollection services, IConfiguration configuration) => services
        .AddSettings<QuoteSettings>(configuration, QuoteSettings.Section)
        .AddSingleton<BookingQuotes>()
        .AddSingleton<BookingStore>()
        .AddSingleton<AgendaGate>()
        .AddSingleton<BookingWishes>()
        .AddSingleton<BookingSettler>()
        .AddSingleton<CreateBookingHandler>()
        .AddSingleton<BookingCanceller>()
        .AddSingleton<BookingChanger>()
        .AddSingleton<ChangeBookingHandler>()
        .AddSingleton<CancelBookingHandler>()
        .AddSingleton<BulkCancelHandler>()
        .AddSingleton<ApproveBookingHandler>()
        .AddSingleton<CheckInBookingHandler>()
        .AddSingleton<BookingTax>()
        .AddSingleton<PreviewBookingHandler>()
        .AddSingleton<BookingPayer>()
        .AddSingleton<PayBookingHandler>()
        .AddSingleton<AvailabilityReader>()
        .AddSingleton<ReaccountHandler>()
        .AddSingleton<BookingAccounts>()
        .AddSingleton<BookingReader>()
        .AddSingleton<IMessageHandler, IndexBookings>()
        .AddSingleton<IMessageHandler, LookAtBookingHandler>()
        .AddSingleton<IMessageHandler, ReturnToWalletHandler>()
        .AddSingleton<IMessageHandler, ImmediatePaymentSettledHandler>()
        .AddSingleton<IMessageHandler, ChargesInvoicedHandler>()
        .AddSingleton<IMessageHandler, ChargesPaidHandler>()
        .AddSingleton<IMessageHandler, CancelFutureBookingsHandler>()
        .AddSingleton<IMessageHandler, CancelAfterDowngrade>();
}
