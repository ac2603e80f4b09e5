using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Taba.Diffusion.Metrics;

/// <summary>
/// Measures how far values of an image depend on each other: the k strongest |Pearson correlations| over N samples between two values
/// of a patch, their mean and standard deviation over all patches (upstream's get_top_k_corr_in_patches). It is the paper's measure of
/// what is left of the image in a latent, and as well of how far samples are from noise. Rows come in parts; memory does not depend on
/// N. Not thread-safe.
/// </summary>
/// <remarks>
/// White noise has a floor of its own that falls with √N (<see cref="NoiseFloor"/>): compare at equal N only. Where the covariances of
/// all patches are larger than the memory limit, the same rows must be added once for each of <see cref="PassCount"/> passes.
/// </remarks>
public sealed partial class PatchCorrelation : IPartialSums<PatchCorrelation>, IDisposable
{
    /// <summary>Upstream's scripts use this patch size.</summary>
    public const int DefaultPatchSize = 8;

    /// <summary>And this k.</summary>
    public const int DefaultTopK = 20;

    /// <summary>Covariances kept at a time: 512 MiB hold all 1024 patches of a 3x256x256 image.</summary>
    public const long DefaultMemoryLimit = 512L << 20;

    // Rows are widened to float64 in chunks of about this size.
    const long ChunkBytes = 32L << 20;

    readonly StateShape _shape;
    readonly int _patchSize;
    readonly int _topK;
    readonly long _memoryLimit;
    readonly int _chunkRows;
    readonly IReadOnlyList<IReadOnlyList<PatchRegion>> _passes;
    readonly List<double> _strongest = [];

    List<RegionCovariance> _regions = [];
    Tensor? _shift;
    long _count;
    long? _firstPassCount;

    /// <summary>A metric without rows yet, in its first pass.</summary>
    /// <param name="shape">C,H,W of a row.</param>
    /// <param name="patchSize">Side of the square patches, 1 or more; those at the right and lower edge may be smaller.</param>
    /// <param name="topK">How many correlations of a patch count, 1 or more.</param>
    /// <param name="memoryLimit">Bytes of covariances kept at a time.</param>
    /// <exception cref="ArgumentException">A number is not positive, or a single patch is above the memory limit.</exception>
    public PatchCorrelation(
        StateShape shape, int patchSize = DefaultPatchSize, int topK = DefaultTopK, long memoryLimit = DefaultMemoryLimit)
        : this(shape, Positive(patchSize), topK, memoryLimit, PatchRegion.Plan(shape, patchSize, memoryLimit), pass: 0)
    {
    }

    PatchCorrelation(
        StateShape shape, int patchSize, int topK, long memoryLimit, IReadOnlyList<IReadOnlyList<PatchRegion>> passes, int pass)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(shape.Elements, 1, nameof(shape));
        ArgumentOutOfRangeException.ThrowIfLessThan(topK, 1);
        _shape = shape;
        _patchSize = patchSize;
        _topK = topK;
        _memoryLimit = memoryLimit;
        _passes = passes;
        _chunkRows = (int)Math.Clamp(ChunkBytes / (shape.Elements * sizeof(double)), 1, 4096);
        Pass = pass;
        if (pass < passes.Count)
            Open(pass);
    }

    /// <summary>The number of times that all rows must be added.</summary>
    public int PassCount => _passes.Count;

    /// <summary>The pass that rows are added to now, from 0; <see cref="PassCount"/> when all are ended.</summary>
    public int Pass { get; private set; }

    /// <summary>Takes in whole rows, [n,C,H,W].</summary>
    /// <exception cref="ArgumentException">The values are not whole rows.</exception>
    /// <exception cref="InvalidOperationException">All passes are ended.</exception>
    public void Add(ReadOnlySpan<float> rows)
    {
        if (Pass == PassCount)
            throw new InvalidOperationException("All passes of the correlation are ended; it takes no more rows.");
        if (rows.Length % _shape.Elements != 0)
            throw new ArgumentException(
                $"{rows.Length} values are not whole rows of {_shape} ({_shape.Elements} values each).", nameof(rows));

        var rowLength = checked((int)_shape.Elements);
        while (!rows.IsEmpty)
        {
            var values = rows[..Math.Min(rows.Length, _chunkRows * rowLength)];
            AddChunk(values, values.Length / rowLength);
            rows = rows[values.Length..];
        }
    }

    /// <summary>Ends a pass. The rows of the next one must be the same.</summary>
    /// <exception cref="InvalidOperationException">
    /// There is no pass to end, no row was added, or not as many as in the first pass.
    /// </exception>
    public void EndPass()
    {
        if (Pass == PassCount)
            throw new InvalidOperationException("All passes of the correlation are ended.");
        if (_count == 0)
            throw new InvalidOperationException("The correlation has no rows.");
        if (_firstPassCount is { } expected && expected != _count)
            throw new InvalidOperationException($"Pass {Pass} of the correlation had {_count} rows, the first had {expected}.");

        _firstPassCount = _count;
        foreach (var region in _regions)
            region.AppendStrongest(_count, _topK, _strongest);
        Close();
        Pass++;
        if (Pass < PassCount)
            Open(Pass);
    }

    /// <summary>The result; ends the last pass where that was not done.</summary>
    /// <exception cref="InvalidOperationException">Passes are missing or no row was added.</exception>
    public CorrelationSummary Compute()
    {
        if (Pass == PassCount - 1)
            EndPass();
        if (Pass < PassCount)
            throw new InvalidOperationException($"The correlation needs {PassCount} passes over the rows; {Pass} are ended.");

        // NaN without any pair of values (patches of one value).
        var mean = _strongest.Sum() / _strongest.Count;
        var squares = _strongest.Sum(value => (value - mean) * (value - mean));
        return new CorrelationSummary(mean, _strongest.Count < 2 ? double.NaN : Math.Sqrt(squares / (_strongest.Count - 1)));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Close();
        _shift?.Dispose();
        _shift = null;
    }

    void AddChunk(ReadOnlySpan<float> values, int rows)
    {
        using var scope = NewDisposeScope();
        var wide = empty(_shape.Batch(rows), ScalarType.Float64, CPU);
        var doubles = MemoryMarshal.Cast<byte, double>(wide.bytes);
        for (var i = 0; i < values.Length; i++)
            doubles[i] = values[i];

        // Sums of differences from the first row: small where values hardly vary, and exactly 0 where they do not vary at all.
        _shift ??= wide.narrow(0, 0, 1).clone().DetachFromDisposeScope();
        wide.sub_(_shift);
        foreach (var region in _regions)
            region.Add(wide, rows);
        _count += rows;
    }

    static int Positive(int patchSize)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(patchSize, 1);
        return patchSize;
    }

    void Open(int pass)
    {
        _count = 0;
        _regions = [.. _passes[pass].Select(region => new RegionCovariance(region, _shape.Channels))];
    }

    void Close()
    {
        foreach (var region in _regions)
            region.Dispose();
        _regions = [];
    }
}
