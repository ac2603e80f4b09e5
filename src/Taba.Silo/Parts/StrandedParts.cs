using Taba.Grains.Faults;
using Taba.Silo.Engines;

namespace Taba.Silo.Parts;

/// <summary>
/// Gives the parts of a lost device back, so that the silo's others take them. Their samples may wait for a pass that never ends.
/// </summary>
sealed class StrandedParts(ActiveParts parts, Abandonment abandonment)
{
    public void GiveBack(EngineTrouble trouble)
    {
        foreach (var part in parts.On(trouble.Device))
        {
            var fault = new Fault(FaultOwner.Device, trouble.What) { Rows = part.Lease.Rows, Device = trouble.Device };
            abandonment.TryBegin(part, () => Task.FromResult(fault));
        }
    }
}
