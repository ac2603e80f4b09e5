using Taba.Grains.Stages;

namespace Taba.Grains.Ports;

/// <summary>Wakes this silo's worker: a part ended, or new work may be there.</summary>
public interface IWorkSignal
{
    void PartEnded(PartAttempt attempt, RowSet published);

    void WorkMayBeAvailable();
}
