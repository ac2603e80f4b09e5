using System.Net;
using System.Net.Sockets;
using Taba.Diffusion.Resilience;

namespace Taba.Silo.Hosting;

/// <summary>Ports that nobody has just now. Between asking and binding another process may take one: who binds tries again.</summary>
static class FreePorts
{
    /// <summary>A port of an address that was free just now.</summary>
    public static int Of(IPAddress address)
    {
        using var probe = new TcpListener(address, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }

    /// <summary>A start that lost its port is tried again at once, with others.</summary>
    public static RetryPolicy Retries { get; } = new(TimeSpan.Zero, TimeSpan.Zero, Tries: 10) { MayPass = WasTaken };

    /// <summary>True when a failure to start says that another process was quicker.</summary>
    public static bool WasTaken(Exception? exception) => exception switch
    {
        null => false,
        AggregateException several => several.InnerExceptions.Any(WasTaken),
        SocketException { SocketErrorCode: SocketError.AddressAlreadyInUse } => true,
        _ => WasTaken(exception.InnerException),
    };
}
