using Taba.Grains.Stages;
using Taba.Grains.Sweeps;
using Taba.Silo.Devices;

namespace Taba.Client.Planning;

/// <summary>Disk that a stage takes while it runs and gives back.</summary>
static class WorkingSpace
{
    /// <summary>
    /// An upper bound. Kept tensors of unfinished parts lie in scratch files; each part has a checkpoint, and a second one while the
    /// first is being replaced.
    /// </summary>
    /// <param name="stage">The stage.</param>
    /// <param name="missing">Rows to be computed.</param>
    /// <param name="batchSize">Rows of a forward pass; null for the most that a device may choose.</param>
    public static long Of(PlannedStage stage, int missing, int? batchSize)
    {
        var rowBytes = stage.Spec.Model.RowBytes;
        var kept = stage.Keep.TensorsPerRow;
        // Two batches of slots, and the rest of the parts that they belong to.
        var batch = batchSize ?? DeviceChoice.MostBatchOf(rowBytes);
        var unfinished = Math.Min(missing, (2L * batch) + (2L * PartGrid.RowsPerPart(rowBytes)));
        return checked(unfinished * (kept + 2) * rowBytes);
    }
}
