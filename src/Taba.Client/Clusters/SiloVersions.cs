using Taba.Grains.Silos;

namespace Taba.Client.Clusters;

/// <summary>Which silos run which Taba, in words.</summary>
static class SiloVersions
{
    public static string Of(SiloInfo silo) => silo.Version is { } version ? $"{version.Build}, numerics {version.Numerics}" : "unknown";

    /// <summary>Sentences on what differs between silos, and between them and this command; none when nothing does.</summary>
    public static IEnumerable<string> Differences(IReadOnlyList<SiloInfo> silos)
    {
        var versions = silos.GroupBy(Of).OrderByDescending(g => g.Count()).ThenBy(g => g.Key, StringComparer.Ordinal).ToList();
        if (versions.Count > 1)
            yield return "The silos run different versions: "
                + string.Join("; ", versions.Select(g => $"{g.Key} on {string.Join(", ", g.Select(s => s.Name))}")) + ".";
        var own = ProgramVersion.Own;
        var numerics = silos.Where(s => s.Role == SiloRole.Worker).Select(s => s.Version).OfType<ProgramVersion>().Select(
            v => v.Numerics).Distinct().ToList();
        if (numerics.Count > 0 && !numerics.Contains(own.Numerics))
            yield return $"This command is {own}, and no silo computes what it plans: use the version of the silos.";
    }
}
