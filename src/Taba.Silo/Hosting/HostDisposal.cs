using Microsoft.Extensions.Hosting;

namespace Taba.Silo.Hosting;

static class HostDisposal
{
    /// <summary>Disposes a host whose services may only be disposed asynchronously.</summary>
    public static async ValueTask DisposeHostAsync(this IHost host)
    {
        if (host is IAsyncDisposable disposable)
            await disposable.DisposeAsync();
        else
            host.Dispose();
    }
}
