using Taba.Grains.Stages;

namespace Taba.Grains.Ports;

/// <summary>Tells this silo's worker that a part ended.</summary>
public interface IWorkSignal
{
    void PartEnded(PartAttempt attempt, RowSet published);
}
