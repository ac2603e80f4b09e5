using Taba.Diffusion.Engine;
using Taba.Grains.Stages;

namespace Taba.Silo.Engines;

/// <summary>What an error means that an engine reports of one sample.</summary>
static class SampleFaults
{
    /// <summary>The engine ends, and with it the work, not the sample: it goes on from its checkpoint.</summary>
    public static bool IsEnd(Exception error) =>
        error is EngineStoppedException { InnerException: null } or ObjectDisposedException or OperationCanceledException;

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
