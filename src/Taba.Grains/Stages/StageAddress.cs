namespace Taba.Grains.Stages;

/// <summary>The key of a stage's grain.</summary>
public static class StageAddress
{
    const string Prefix = "stage-";

    /// <summary>The grain's key.</summary>
    public static string GrainKey(string stageKey) => Prefix + stageKey;

    /// <summary>The stage's key, from the grain's.</summary>
    public static string StageKey(string grainKey) => grainKey[Prefix.Length..];
}
