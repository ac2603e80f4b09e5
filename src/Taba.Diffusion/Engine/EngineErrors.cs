using TorchSharp;

namespace Taba.Diffusion.Engine;

/// <summary>A row holds NaN or Inf. It was not written on; other rows of the batch are not touched by it.</summary>
public sealed class NonFiniteStateException(int step, torch.ScalarType precision)
    : Exception($"Step {step} gave NaN or Inf with the network in {Name(precision)}: {Advice(precision)}.")
{
    /// <summary>The step (executed order, from 0) whose prediction or state was not finite.</summary>
    public int Step { get; } = step;

    /// <summary>The precision of the network.</summary>
    public torch.ScalarType Precision { get; } = precision;

    static string Name(torch.ScalarType precision) => precision switch
    {
        torch.ScalarType.Float16 or torch.ScalarType.BFloat16 => precision.ToString().ToLowerInvariant(),
        torch.ScalarType.Float64 => "float64",
        _ => "float32",
    };

    static string Advice(torch.ScalarType precision) => precision is torch.ScalarType.Float16 or torch.ScalarType.BFloat16
        ? "run this sample in a wider precision (float32), or look at its input"
        : "look at its input; where every sample does so, at the weights";
}

/// <summary>The network throws for this row, also when it is alone, and not for others: something about this sample.</summary>
public sealed class PoisonSampleException(int step, Exception inner)
    : Exception($"The network throws at step {step} for this sample alone ({inner.Message}); look at its input and its condition.", inner)
{
    /// <summary>The step (executed order, from 0) that cannot be computed.</summary>
    public int Step { get; } = step;
}

/// <summary>The network throws for every row, whatever it is given: nothing is wrong with the samples.</summary>
public sealed class PassFailedException(string engine, int step, Exception inner)
    : Exception($"Model '{engine}' throws at step {step} for every sample ({inner.Message}).", inner)
{
}

/// <summary>The device reported an error after which nothing works on it in this process: a new process has to go on.</summary>
public sealed class DeviceBrokenException(string engine, Exception inner)
    : Exception(
        $"The device of model '{engine}' is broken for this process ({FirstLine(inner)}); the work goes on from its checkpoints in a "
        + "new one.", inner)
{
    static string FirstLine(Exception error) => error.Message.Split('\n')[0].Trim();
}

/// <summary>The journal could not be written: no row's fault, and the inner exception is the one to tell.</summary>
sealed class JournalException(Exception inner) : Exception(inner.Message, inner)
{
}

/// <summary>More trajectories were opened than may wait for a slot.</summary>
public sealed class EngineOverloadedException(string engine, int maxPending)
    : InvalidOperationException(
        $"Engine '{engine}' already has {maxPending} trajectories waiting for a slot (MaxPending); open more when some have ended.")
{
}

/// <summary>The engine is draining, stopped or broken, and takes or finishes no more work.</summary>
public sealed class EngineStoppedException(string message, Exception? inner = null) : InvalidOperationException(message, inner)
{
}

/// <summary>The device has too little memory for the smallest batch that the settings allow.</summary>
public sealed class OutOfDeviceMemoryException(string message, Exception inner) : Exception(message, inner)
{
}
