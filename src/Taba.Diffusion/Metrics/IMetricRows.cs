namespace Taba.Diffusion.Metrics;

/// <summary>The rows of one tensor of a run, read in chunks as often as a metric needs them.</summary>
public interface IMetricRows
{
    /// <summary>Names tensor and rows: what is measured of one is remembered for others of that name.</summary>
    string Identity { get; }

    /// <summary>The shape of a row.</summary>
    StateShape Shape { get; }

    /// <summary>All rows in order, [n,C,H,W] at a time. Tensors of one run are cut alike.</summary>
    IEnumerable<float[]> Chunks(CancellationToken cancellationToken);
}
