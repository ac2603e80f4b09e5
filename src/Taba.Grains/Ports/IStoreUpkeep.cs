namespace Taba.Grains.Ports;

/// <summary>Keeps the tensor store free of what nobody will use.</summary>
public interface IStoreUpkeep
{
    /// <summary>Deletes what attempts left that died before they published, and that was last written before a time. Idempotent.</summary>
    /// <returns>The number of objects and unfinished files deleted.</returns>
    Task<int> SweepOrphansAsync(DateTimeOffset writtenBefore, CancellationToken cancellationToken);
}
