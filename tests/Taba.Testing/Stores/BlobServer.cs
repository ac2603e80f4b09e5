using Azure.Storage.Blobs;
using Taba.Storage.Objects;
using Taba.Testing.Servers;

namespace Taba.Testing.Stores;

/// <summary>One Azurite for the tests of this assembly, started when the first needs it; each test has a container of its own.</summary>
public sealed class BlobServer : IAsyncDisposable
{
    readonly Lazy<Task<AzuriteServer>> _server = new(AzuriteServer.StartAsync);
    int _containers;

    /// <summary>The account's connection string, or the test is skipped where there is no Azurite.</summary>
    public async Task<string> ConnectionStringAsync()
    {
        if (AzuriteServer.Missing is { } reason)
            Assert.Skip(reason);
        return (await _server.Value).ConnectionString;
    }

    /// <summary>An empty container.</summary>
    public async Task<BlobContainerClient> ContainerAsync()
    {
        var container = BlobContainers.Open(
            $"test-{Interlocked.Increment(ref _containers)}-{Guid.NewGuid():N}", await ConnectionStringAsync(), null);
        await container.CreateIfMissingAsync(CancellationToken.None);
        return container;
    }

    public async ValueTask DisposeAsync()
    {
        if (_server.IsValueCreated)
            await (await _server.Value).DisposeAsync();
    }
}
