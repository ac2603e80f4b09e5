using Taba.Grains.Ports;
using Taba.Silo.Telemetry;

namespace Taba.Silo.Storage;

/// <summary>Sweeps the store of this silo, and counts what that deleted.</summary>
sealed class StoreUpkeep(ITensorStore store) : IStoreUpkeep
{
    public async Task<int> SweepOrphansAsync(DateTimeOffset writtenBefore, CancellationToken cancellationToken)
    {
        var deleted = await store.SweepOrphansAsync(writtenBefore, cancellationToken);
        SiloInstruments.OrphansDeleted.Add(deleted);
        return deleted;
    }
}
