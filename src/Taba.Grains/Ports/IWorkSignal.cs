using Taba.Grains.Stages;

namespace Taba.Grains.Ports;

/// <summary>Tells this silo's worker when to look for work.</summary>
public interface IWorkSignal
{
    /// <summary>A part ended.</summary>
    void PartEnded(PartAttempt attempt, RowSet published);

    /// <summary>Nothing ended, and yet there may be more room.</summary>
    void Wake();
}
