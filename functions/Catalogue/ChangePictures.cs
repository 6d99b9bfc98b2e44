using Flex.Platform.Blobs;
using Flex.Platform.Http;
using Flex.Platform.Tables;

namespace Flex.Catalogue;

/// <summary>
/// Pictures of plans and resources. The content is written first and the record that names it after, so that a record never names
/// what is not there. Blobs stay: versions of plans, and others with the same picture, may name them.
/// </summary>
public sealed class PictureHandler(CatalogueStore store, IBlobStore blobs)
{
    public const string Container = "pictures";

    public async Task<Reply<PlanView>> SetOfPlanAsync(PlanId id, FileBody body, RequestContext context, CancellationToken cancellation)
    {
        Result<Picture> picture = Picture.Of(body);
        return picture.IsError ? picture.Error : await ChangeAsync(id, picture.Value, context, cancellation);
    }

    public Task<Reply<PlanView>> RemoveFromPlanAsync(PlanId id, RequestContext context, CancellationToken cancellation) =>
        ChangeAsync(id, picture: null, context, cancellation);

    public async Task<Reply<FileAnswer>> ReadOfPlanAsync(PlanId id, RequestContext context, CancellationToken cancellation) =>
        await store.ReadPlanAsync(id, cancellation) is { Value: { Image: { } image } plan } && CatalogueReader.IsVisible(plan, context)
            ? await ReadAsync(image, cancellation)
            : Error.NotFound("The picture");

    public async Task<Reply<ResourceView>> SetOfResourceAsync(ResourceId id, FileBody body, RequestContext context, CancellationToken cancellation)
    {
        Result<Picture> picture = Picture.Of(body);
        return picture.IsError ? picture.Error : await ChangeAsync(id, picture.Value, context, cancellation);
    }

    public Task<Reply<ResourceView>> RemoveFromResourceAsync(ResourceId id, RequestContext context, CancellationToken cancellation) =>
        ChangeAsync(id, picture: null, context, cancellation);

    public async Task<Reply<FileAnswer>> ReadOfResourceAsync(ResourceId id, RequestContext context, CancellationToken cancellation) =>
        await store.ReadResourceAsync(id, cancellation) is { Value: { Image: { } image } resource } && CatalogueReader.IsVisible(resource, context)
            ? await ReadAsync(image, cancellation)
            : Error.NotFound("The picture");

    private async Task<Reply<PlanView>> ChangeAsync(PlanId id, Picture? picture, RequestContext context, CancellationToken cancellation)
    {
        if (await store.ReadPlanAsync(id, cancellation) is not { } found)
        {
            return Error.NotFound("The plan");
        }

        if (context.CheckIfMatch(found.Value.Version) is { } stale)
        {
            return stale;
        }

        await KeepAsync(picture, cancellation);
        Plan edited = found.Value with { Image = picture?.Name, Version = found.Value.Version + 1 };
        return await store.CommitAsync(CatalogueStore.Put(CatalogueStore.Batch(), edited, found.ETag), context, PlanView.Of(edited), cancellation);
    }

    private async Task<Reply<ResourceView>> ChangeAsync(ResourceId id, Picture? picture, RequestContext context, CancellationToken cancellation)
    {
        if (await store.ReadResourceAsync(id, cancellation) is not { } found)
        {
            return Error.NotFound("The resource");
        }

        if (context.CheckIfMatch(found.Value.Version) is { } stale)
        {
            return stale;
        }

        await KeepAsync(picture, cancellation);
        Resource edited = found.Value with { Image = picture?.Name, Version = found.Value.Version + 1 };
        return await store.CommitAsync(CatalogueStore.Put(CatalogueStore.Batch(), edited, found.ETag), context, ResourceView.Of(edited), cancellation);
    }

    private async Task KeepAsync(Picture? picture, CancellationToken cancellation)
    {
        if (picture is not null)
        {
            await blobs.PutAsync(Container, picture.Name, picture.Content, cancellation);
        }
    }

    private async Task<FileAnswer> ReadAsync(string name, CancellationToken cancellation) => new(
        Picture.MediaTypeOf(name),
        await blobs.ReadAsync(Container, name, cancellation) ?? throw new DefectException($"Picture {name} is gone."),
        name);
}
