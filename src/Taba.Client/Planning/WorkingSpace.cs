using Taba.Grains.Stages;
using Taba.Grains.Sweeps;

namespace Taba.Client.Planning;

/// <summary>Disk that a stage takes while it runs and gives back.</summary>
static class WorkingSpace
{
    /// <summary>The batch size of the devices that have the larger default.</summary>
    const int LargestDefaultBatch = 64;

    /// <summary>
    /// An upper bound. Kept tensors of unfinished parts lie in scratch files; each part has a checkpoint, and a second one while the
    /// first is being replaced.
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
        return checked(unfinished * (kept + 2) * rowBytes);
    }
}
