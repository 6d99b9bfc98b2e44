using Flex.Platform.Messaging;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Flex.Platform.Mail;

public static class MailRegistration
{
    /// <summary>A host that wants another mailer registers it before.</summary>
    public static IServiceCollection AddFlexMail(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddSettings<MailSettings>(configuration, MailSettings.Section);
        services.TryAddSingleton<IMailer, SmtpMailer>();
        return services.AddSingleton<IMessageHandler, SendMail>();
    }
}
