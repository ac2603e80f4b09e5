using static TorchSharp.torch;

namespace Taba.Diffusion.Engine;

/// <summary>The output of one pass: host tensors [R,C,H,W], and for each of their rows its trajectory and its kind.</summary>
sealed class OutputBatch
{
    public List<Tensor> Tensors { get; } = [];
    public List<OutputItem> Items { get; } = [];

    /// <summary>Completed once all earlier batches and this one are delivered.</summary>
    public TaskCompletionSource? Delivered { get; init; }

    public void DisposeTensors()
    {
        foreach (var tensor in Tensors)
            tensor.Dispose();
        Tensors.Clear();
    }
}

/// <summary>A row of one of a batch's tensors.</summary>
readonly record struct OutputPlace(int Tensor, int Row)
{
    /// <summary>A row of zeros, which no tensor holds.</summary>
    public static OutputPlace Blank => new(-1, 0);
}

/// <summary>One call to an observer: a failure, the end of a segment, or else a recorded tensor.</summary>
readonly record struct OutputItem(Trajectory Trajectory, int Step)
{
    public TensorKinds Kind { get; init; }
    public OutputPlace Place { get; init; }
    public SegmentOutcome? Outcome { get; init; }
    public Exception? Error { get; init; }
}
