using Azure.Storage.Blobs;
using Taba.Storage.Objects;

namespace Taba.Testing.Stores;

/// <summary>Where a test's store is. Every suite of what is durable runs over each kind.</summary>
public abstract class StorePlace : IAsyncDisposable
{
    /// <summary>The test's own folder on this machine.</summary>
    protected TestFolder Folder { get; } = new();

    /// <summary>Makes it ready, empty.</summary>
    public virtual ValueTask PrepareAsync() => ValueTask.CompletedTask;

    /// <summary>The place, as another process would open it, at each call.</summary>
    public abstract IObjectStore Open();

    public virtual ValueTask DisposeAsync()
    {
        Folder.Dispose();
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }
}

/// <summary>A folder.</summary>
public sealed class FolderStorePlace : StorePlace
{
    /// <summary>Its path.</summary>
    public string Path => Folder["store"];

    public override IObjectStore Open() => new FolderObjects(Path);
}

/// <summary>A container of Azurite.</summary>
public sealed class BlobStorePlace(BlobServer server) : StorePlace
{
    readonly List<BlobObjects> _opened = [];

    public BlobContainerClient Container { get; private set; } = null!;

    /// <summary>Where each process that opens it has its folder.</summary>
    public string Scratch => Folder["scratch"];

    public override async ValueTask PrepareAsync() => Container = await server.ContainerAsync();

    public override IObjectStore Open() => Open(copies: true);

    public BlobObjects Open(bool copies)
    {
        var objects = new BlobObjects(Container, Scratch, copies);
        _opened.Add(objects);
        return objects;
    }

    public override ValueTask DisposeAsync()
    {
        foreach (var objects in _opened)
            objects.Dispose();
        return base.DisposeAsync();
    }
}
