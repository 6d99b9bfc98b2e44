using System.Text.Json;
using Flex.Local.Runtime.Faults;
using Flex.Local.Simulators;
using Flex.Platform;
using Flex.Platform.Mail;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using NodaTime;

namespace Flex.Local.Runtime.Hosting;

/// <summary>A mail that was handed over for delivery.</summary>
public sealed record DroppedMail(string To, string Subject, string Text, Instant At);

/// <summary>Where mail ends on one machine: a list, kept in a journal when there is a data directory.</summary>
public sealed class MailDrop : IDisposable
{
    private readonly Lock _lock = new();
    private readonly JsonLinesJournal _journal;
    private readonly List<DroppedMail> _mails;

    public MailDrop(string? journal)
    {
        _journal = new JsonLinesJournal(journal);
        _mails = [.. _journal.ReadAll().Select(StorageJson.Read<DroppedMail>)];
    }

    public IReadOnlyList<DroppedMail> Mails
    {
        get
        {
            lock (_lock)
            {
                return [.. _mails];
            }
        }
    }

    public void Add(DroppedMail mail)
    {
        lock (_lock)
        {
            _journal.Append(StorageJson.Write(mail));
            _mails.Add(mail);
        }
    }

    public void Dispose() => _journal.Dispose();
}

/// <summary>The mail server of one machine: hands mail to the drop, unless a fault says otherwise.</summary>
public sealed class DroppingMailer(MailDrop drop, FaultRegistry faults, TimeProvider time) : IMailer
{
    public Task SendAsync(OutgoingMail mail, CancellationToken cancellation)
    {
        FaultKind? fault = faults.Take(FaultRegistry.Mail, "POST", mail.Subject, mail.To)?.Kind;
        if (fault is FaultKind.Status or FaultKind.TimeoutBeforeEffect)
        {
            throw new TransientFaultException("The simulated mail server did not take the mail.");
        }

        if (fault is not FaultKind.Drop)
        {
            drop.Add(new DroppedMail(mail.To, mail.Subject, mail.Text, time.Now()));
        }

        return fault is FaultKind.TimeoutAfterEffect
            ? throw new MailOutcomeUnknownException("The simulated connection broke after the mail was handed over.")
            : Task.CompletedTask;
    }
}

/// <summary>Mail goes to a drop that <c>GET /local/mail</c> shows.</summary>
public sealed class MailModule(string? journal) : ILocalModule
{
    public static void Map(IEndpointRouteBuilder routes, MailDrop drop) => routes.MapGet("/local/mail", LocalHttp.Answer(_ => drop.Mails));

    public void Configure(IServiceCollection services)
    {
        services.AddSingleton(_ => new MailDrop(journal));
        services.AddSingleton<IMailer, DroppingMailer>();
    }

    public void Map(IEndpointRouteBuilder routes) => Map(routes, routes.ServiceProvider.GetRequiredService<MailDrop>());
}
