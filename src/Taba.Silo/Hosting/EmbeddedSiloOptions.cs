using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Taba.Silo.Devices;

namespace Taba.Silo.Hosting;

/// <summary>A silo inside the client's process: no server, its devices, a folder for a store.</summary>
public sealed record EmbeddedSiloOptions
{
    /// <summary>The store's folder, <c>.taba</c> under the output root.</summary>
    public required string StoreRoot { get; init; }

    /// <summary>The devices, settled by the caller, who refuses wrong ones before anything is started.</summary>
    public required SiloDevices Devices { get; init; }

    /// <summary>The most rows of one forward pass; null lets the silo choose.</summary>
    public int? BatchSize { get; init; }

    /// <summary>How networks are computed; null leaves it to the settings.</summary>
    public NetworkForm? Network { get; init; }

    /// <summary>The command line, for whoever finds the store locked.</summary>
    public required string Command { get; init; }

    /// <summary>Settings from files, environment and command line, the strongest last.</summary>
    public IReadOnlyList<KeyValuePair<string, string?>> Settings { get; init; } = [];

    /// <summary>
    /// The port of the dashboard, on this machine only unless the settings name an address; 0 takes theirs, or a free one. Null serves none
    /// but what the settings ask for.
    /// </summary>
    public int? DashboardPort { get; init; }

    /// <summary>Logs below this are dropped. Logs go to standard error.</summary>
    public LogLevel LogLevel { get; init; } = LogLevel.Warning;

    /// <summary>Replaces services, for tests of devices that fail.</summary>
    internal Action<IServiceCollection>? Services { get; init; }
}
