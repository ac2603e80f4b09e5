using Taba.Diffusion.Engine;
using Taba.Grains.Faults;
using Taba.Grains.Ports;
using Taba.Storage.Objects;

namespace Taba.Silo.Faults;

/// <summary>
/// Says whose fault an error is, as far as this host can tell: it blames itself, until the stage hears the same of others
/// (docs/design/blame.md).
/// </summary>
static class FaultOwners
{
    /// <param name="computed">The rows that an engine was given, if it was one that failed.</param>
    public static Fault Of(Exception error, RowRange computed) => Known(error, computed) ?? error switch
    {
        // A grain that does not answer, or whose silo is gone.
        OrleansException or TimeoutException or OperationCanceledException => new(FaultOwner.Attempt, error.Message),
        _ => new(FaultOwner.Host, error.Message),
    };

    /// <summary>Null when nothing is known of such an error: where a sample was computed it is the sample's.</summary>
    public static Fault? Known(Exception error, RowRange computed)
    {
        if (LostInputs.In(error) is { } damage)
            return Fault.LostInput(damage.StageKey, damage.Rows, damage.Message);
        if (FaultMonitor.StoreFault(error) is { } store)
            return new(FaultOwner.Host, store.Message);
        return error switch
        {
            InputLostException lost => Fault.LostInput(lost.StageKey, lost.Rows, lost.Message),
            ModelRefusedException => Fault.Refusal(error.Message),
            EngineStoppedException or PassFailedException => new(FaultOwner.Host, error.Message) { Rows = computed },
            _ when DiskErrors.IsDisk(error) => new(FaultOwner.Host, error.Message),
            _ => null,
        };
    }
}
