using TorchSharp;

namespace Taba.Diffusion.Engine;

/// <summary>A row holds NaN or Inf. It was not written on; other rows of the batch are not touched by it.</summary>
public sealed class NonFiniteStateException(int step, torch.ScalarType precision)
    : Exception(
        $"Step {step} gave NaN or Inf with the network in {precision}; run this sample in a wider precision (float32), or look at its input.")
{
    /// <summary>The step (executed order, from 0) whose prediction or state was not finite.</summary>
    public int Step { get; } = step;

    /// <summary>The precision of the network.</summary>
    public torch.ScalarType Precision { get; } = precision;
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
