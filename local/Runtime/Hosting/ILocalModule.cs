using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Flex.Local.Runtime.Hosting;

/// <summary>
/// A part of the local host that is not Flex itself: a simulator or a set of controls. It may register
/// <see cref="Scheduling.IWorkSource"/> and <see cref="Scheduling.ILoadable"/> singletons; both are picked up.
/// </summary>
public interface ILocalModule
{
    /// <summary>Settings of the app that make it use this module; what the user has configured goes before them.</summary>
    IReadOnlyDictionary<string, string?> Settings => new Dictionary<string, string?>();

    void Configure(IServiceCollection services);

    /// <summary>Maps endpoints below <c>/local</c>. Test worlds have no sockets but serve the same endpoints in process.</summary>
    void Map(IEndpointRouteBuilder routes);
}
