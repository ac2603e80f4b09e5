using System.Net;
using System.Net.Sockets;
using Taba.Silo.Devices;
using Taba.Silo.Hosting;

namespace Taba.Silo.Tests.Hosting;

/// <summary>Commands that start at the same moment may choose one port.</summary>
public sealed class EmbeddedSiloPortTests : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("taba-ports-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task StartAsync_PortTakenMeanwhile_StartsOnAnother()
    {
        using var other = Listen();
        var taken = Port(other);
        var choices = new Queue<int>([taken, taken, FreePort()]);

        await using (var silo = await EmbeddedSilo.StartAsync(Options, choices.Dequeue, CancellationToken.None))
            Assert.Equal(0, silo.EvaluationsEver);

        Assert.Empty(choices);
        // The store is free again, after the starts that failed and after the one that did not.
        await using var again = await EmbeddedSilo.StartAsync(Options, CancellationToken.None);
    }

    [Fact]
    public async Task StartAsync_EveryPortTaken_GivesUpAndFreesTheStore()
    {
        using var other = Listen();
        var tries = 0;

        await Assert.ThrowsAnyAsync<Exception>(() => EmbeddedSilo.StartAsync(
            Options,
            () =>
            {
                tries++;
                return Port(other);
            },
            CancellationToken.None));

        Assert.Equal(10, tries);
        await using var again = await EmbeddedSilo.StartAsync(Options, CancellationToken.None);
    }

    EmbeddedSiloOptions Options =>
        new() { StoreRoot = Path.Combine(_folder, ".taba"), Devices = SiloDevices.Resolve("cpu"), Command = "test" };

    static TcpListener Listen()
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return listener;
    }

    static int FreePort()
    {
        using var listener = Listen();
        return Port(listener);
    }

    static int Port(TcpListener listener) => ((IPEndPoint)listener.LocalEndpoint).Port;
}
