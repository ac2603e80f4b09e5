using Taba.Grains.Stages;
using Taba.Grains.Sweeps;
using Taba.Silo.Checkpoints;

namespace Taba.Client.Planning;

/// <summary>Disk that a stage takes while it runs and gives back.</summary>
static class WorkingSpace
{
    /// <summary>The batch size of the devices that have the larger default.</summary>
    const int LargestDefaultBatch = 64;

    static readonly CheckpointOptions s_checkpoints = new();

    /// <summary>
    /// An upper bound. Kept tensors of unfinished parts lie in scratch files; and every segment that ends leaves a record, whose file goes
    /// when nothing in it is needed any more, which may be one file late.
    /// </summary>
    /// <param name="stage">The stage.</param>
    /// <param name="missing">Rows to be computed.</param>
    /// <param name="batchSize">Rows of a forward pass; null for the device's default.</param>
    public static long Of(PlannedStage stage, int missing, int? batchSize)
    {
        var rowBytes = stage.Spec.Model.RowBytes;
        var kept = stage.Keep.TensorsPerRow;
        // Two batches of slots, and the rest of the parts that they belong to.
        var unfinished = Math.Min(missing, (2L * (batchSize ?? LargestDefaultBatch)) + (2L * PartGrid.RowsPerPart(rowBytes)));
        // By time, a slow model leaves one after each step.
        var records = stage.Spec.NumInferenceSteps;
        var everWritten = checked(missing * (records + kept) * rowBytes);
        var atOnce = checked(unfinished * (1 + kept) * rowBytes + 2 * s_checkpoints.SegmentBytes);
        return checked(unfinished * kept * rowBytes + Math.Min(everWritten, atOnce));
    }
}
