namespace Taba.Diffusion.Metrics;

/// <summary>The rows of one tensor of a run: samples, or what was made of them.</summary>
public interface IMetricRows : IRowAccess
{
    // Small, so that the metrics of ten thousand samples take the memory of those of a hundred.
    const long ChunkBytes = 512 << 10;

    // All covariances are read and written once a chunk: that should not happen for every large image anew.
    const int LeastRows = 16;

    const int MostRows = 4096;

    /// <summary>Names tensor and rows: what is measured of one is remembered for others of that name.</summary>
    string Identity { get; }

    /// <summary>The shape of a row.</summary>
    StateShape Shape { get; }

    /// <summary>Rows of a chunk: about half a MiB, or 16 of larger rows.</summary>
    static int RowsAtOnce(StateShape shape) =>
        (int)Math.Clamp(ChunkBytes / Math.Max(1, shape.Elements * sizeof(float)), LeastRows, MostRows);
}
