using System.Reflection;
using Orleans;

namespace Taba;

/// <summary>Which Taba a process is.</summary>
/// <param name="Build">The informational version of its assemblies.</param>
/// <param name="Numerics"><see cref="StageKey.NumericsVersion"/>: builds that differ in nothing else give equal numbers.</param>
[GenerateSerializer, Immutable, Alias("taba.ProgramVersion")]
public sealed record ProgramVersion(string Build, int Numerics)
{
    /// <summary>That of this process.</summary>
    public static ProgramVersion Own { get; } = new(
        typeof(ProgramVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown",
        StageKey.NumericsVersion);

    public override string ToString() => $"Taba {Build} (numerics {Numerics})";
}
