namespace Taba.Grains.Upkeep;

/// <summary>
/// Clears the tensor store of what attempts left that died before they published. One in a cluster, key 0; a durable reminder wakes
/// it.
/// </summary>
[Alias("taba.IStoreUpkeepGrain")]
public interface IStoreUpkeepGrain : IGrainWithIntegerKey
{
    /// <summary>Sees to it that the reminder is as the settings want it; every silo asks for it when it starts. Idempotent.</summary>
    [Alias("Ensure")]
    Task EnsureAsync();
}
