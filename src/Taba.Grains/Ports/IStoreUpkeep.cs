namespace Taba.Grains.Ports;

/// <summary>Keeps the tensor store free of what nobody will use.</summary>
public interface IStoreUpkeep
{
    /// <summary>Deletes what attempts left that are over and did not publish. Idempotent.</summary>
    /// <param name="inUse">The attempts of a stage that may still publish, or whose checkpoints may be of use.</param>
    /// <returns>The number of objects and checkpoints deleted.</returns>
    Task<int> SweepOrphansAsync(Func<string, Task<IReadOnlySet<Guid>>> inUse, CancellationToken cancellationToken);
}
