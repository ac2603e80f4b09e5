using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Taba.Grains.Silos;
using Taba.Silo.Devices;

namespace Taba.Silo.Clusters;

/// <summary>One silo of a cluster.</summary>
sealed record ClusterSiloOptions
{
    /// <summary>The cluster, checked.</summary>
    public required TabaClusterOptions Cluster { get; init; }

    /// <summary>Its name: unique among silos that live at a time.</summary>
    public required string Name { get; init; }

    public required SiloRole Role { get; init; }

    public required SiloDevices Devices { get; init; }

    /// <summary>The most rows of one forward pass of a device.</summary>
    public required int BatchSize { get; init; }

    /// <summary>All settings, the strongest last.</summary>
    public required IReadOnlyList<KeyValuePair<string, string?>> Settings { get; init; }

    public LogLevel LogLevel { get; init; } = LogLevel.Information;

    /// <summary>Replaces services, for simulations.</summary>
    public Action<IServiceCollection>? Services { get; init; }
}
