using Taba.Storage.Manifests;
using Taba.Storage.Objects;

namespace Taba.Testing.Stores;

/// <summary>Tests that hold for a store wherever it is: derived once for a folder and once for blobs.</summary>
public abstract class StoreSuite(StorePlace place) : IAsyncLifetime
{
    protected static readonly CancellationToken None = CancellationToken.None;

    public ValueTask InitializeAsync() => place.PrepareAsync();

    public async ValueTask DisposeAsync()
    {
        await place.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    /// <summary>The place, as another process would open it.</summary>
    protected IObjectStore Open() => place.Open();

    /// <summary>The place, for what the test itself reads and changes there.</summary>
    protected IObjectStore Objects => field ??= Open();

    /// <summary>The store there, as another process would open it.</summary>
    protected TensorStore OpenStore(bool mends = true) => new(Open(), mends: mends);

    /// <summary>All names in the place that begin with a prefix.</summary>
    protected async Task<List<string>> NamesAsync(string prefix) =>
        await Objects.ListAsync(prefix, None).Select(o => o.Name).ToListAsync(None);

    /// <summary>Changes the bytes of an object behind the store's back.</summary>
    protected async Task ChangeAsync(string name, Func<byte[], byte[]> change) =>
        await Objects.ReplaceAsync(name, change((await Objects.ReadAsync(name, int.MaxValue, None))!), None);
}
