using System.Globalization;
using Orleans.Runtime.MembershipService.SiloMetadata;
using Taba.Grains.Silos;
using Taba.Silo.Devices;

namespace Taba.Silo.Workers;

/// <summary>A silo's facts, which it tells the others when it joins. They do not change while it lives.</summary>
sealed record SiloFacts(string Name, SiloRole Role, SiloDevices Devices, int BatchSize)
{
    const string NameKey = "taba.name";
    const string RoleKey = "taba.role";
    const string DeviceKey = "taba.device";
    const string CountKey = "taba.device.count";
    const string MemoryKey = "taba.device.memory";
    const string BatchKey = "taba.batch";
    const string BuildKey = "taba.build";
    const string NumericsKey = "taba.numerics";

    public Dictionary<string, string> ToMetadata() => new()
    {
        [NameKey] = Name,
        [RoleKey] = Role.ToString(),
        [DeviceKey] = Devices.Kind,
        [CountKey] = Devices.Count.ToString(CultureInfo.InvariantCulture),
        [MemoryKey] = Devices.MemoryBytes.ToString(CultureInfo.InvariantCulture),
        [BatchKey] = BatchSize.ToString(CultureInfo.InvariantCulture),
        [BuildKey] = ProgramVersion.Own.Build,
        [NumericsKey] = ProgramVersion.Own.Numerics.ToString(CultureInfo.InvariantCulture),
    };

    /// <summary>Whether trajectories step here.</summary>
    public bool HasDevice => Role == SiloRole.Worker;

    /// <summary>This silo, as it tells of itself.</summary>
    public SiloInfo ToInfo(SiloAddress silo) =>
        new(Name, silo.ToParsableString(), Role, Devices.Kind, Devices.MemoryBytes, BatchSize, Devices.Count)
        {
            Version = ProgramVersion.Own,
        };

    /// <summary>A silo as its metadata describes it; null when it has none (yet).</summary>
    public static SiloInfo? Read(SiloAddress silo, SiloMetadata? metadata) =>
        metadata?.Metadata is { } known && Enum.TryParse<SiloRole>(known.GetValueOrDefault(RoleKey), out var role)
            ? new(
                known.GetValueOrDefault(NameKey) ?? silo.ToString(), silo.ToParsableString(), role,
                known.GetValueOrDefault(DeviceKey) ?? "",
                long.TryParse(known.GetValueOrDefault(MemoryKey), CultureInfo.InvariantCulture, out var memory) ? memory : 0,
                int.TryParse(known.GetValueOrDefault(BatchKey), CultureInfo.InvariantCulture, out var batch) ? batch : 0,
                int.TryParse(known.GetValueOrDefault(CountKey), CultureInfo.InvariantCulture, out var count) ? count : 1)
            {
                Version = known.GetValueOrDefault(BuildKey) is { } build
                    && int.TryParse(known.GetValueOrDefault(NumericsKey), CultureInfo.InvariantCulture, out var numerics)
                        ? new(build, numerics)
                        : null,
            }
            : null;
}
