using System.Text.Json;
using Flex.Local.Simulators;
using Flex.Platform;
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

/// <summary><c>GET /local/mail</c>.</summary>
public sealed class MailModule(string? journal) : ILocalModule
{
    public void Configure(IServiceCollection services) => services.AddSingleton(_ => new MailDrop(journal));

    public void Map(IEndpointRouteBuilder routes)
    {
        MailDrop drop = routes.ServiceProvider.GetRequiredService<MailDrop>();
        routes.MapGet("/local/mail", LocalHttp.Answer(_ => drop.Mails));
    }
}
