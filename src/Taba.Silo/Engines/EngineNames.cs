using Taba.Grains.Stages;

namespace Taba.Silo.Engines;

/// <summary>Names of this silo's engines.</summary>
public static class EngineNames
{
    /// <inheritdoc cref="StageEngine.Of"/>
    public static string Of(StageSpec spec) => StageEngine.Of(spec);
}
