namespace Taba.Grains;

/// <summary>The storage provider that holds all grain state.</summary>
public static class GrainStorage
{
    public const string Name = "taba";
}
