using Taba.Diffusion.Engine;
using Taba.Grains.Stages;
using Taba.Silo.Faults;
using Taba.Storage.Manifests;
using Taba.Storage.Objects;

namespace Taba.Silo.Engines;

/// <summary>Blames an error on the sample, on its part, or on nobody.</summary>
static class SampleFaults
{
    /// <summary>The engine ends, and with it the work, not the sample: it goes on from its checkpoint.</summary>
    public static bool IsEnd(Exception error) =>
        error is EngineStoppedException { InnerException: null } or ObjectDisposedException or OperationCanceledException;

    /// <summary>Null when the sample itself failed.</summary>
    public static PartFault? OfPart(Exception error)
    {
        if (FaultMonitor.StoreFault(error) is { } store)
            return new(PartFaultKind.Store, store.Message);
        return error switch
        {
            EngineStoppedException or PassFailedException => new(PartFaultKind.Engine, error.Message),
            _ when DiskErrors.IsDisk(error) => new(PartFaultKind.Store, error.Message),
            _ => null,
        };
    }

    /// <summary>Why the sample failed.</summary>
    public static FailureKind KindOf(Exception error) => error switch
    {
        NonFiniteStateException => FailureKind.NonFinite,
        PoisonSampleException => FailureKind.Poison,
        OutOfDeviceMemoryException => FailureKind.OutOfMemory,
        ArgumentException => FailureKind.Input,
        _ => FailureKind.Other,
    };
}
