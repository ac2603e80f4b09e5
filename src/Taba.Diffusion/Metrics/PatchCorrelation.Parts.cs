using TorchSharp;
using static TorchSharp.torch;

namespace Taba.Diffusion.Metrics;

// In parts: sums of differences from the first row of each part; merging moves them to the first row of the first part, which a value
// that never varies survives as an exact 0.
public sealed partial class PatchCorrelation
{
    /// <summary>Upstream's k of the whole image.</summary>
    public const int WholeImageTopK = 10;

    /// <summary>The covariances of a whole image: 1.125 GiB hold one of 3x64x64.</summary>
    public const long WholeImageMemoryLimit = 1152L << 20;

    const int FormatVersion = 1;

    /// <summary>
    /// One matrix over all C·H·W values of an image instead of patches (upstream's get_top_k_corr, k 10), in a single pass. It needs
    /// 8·(C·H·W)² bytes and about 100 MB to work with.
    /// </summary>
    /// <param name="shape">C,H,W of a row.</param>
    /// <param name="topK">How many correlations count, 1 or more.</param>
    /// <param name="memoryLimit">Bytes of covariances.</param>
    /// <exception cref="ArgumentException">The matrix is above the memory limit.</exception>
    public static PatchCorrelation OfWholeImage(
        StateShape shape, int topK = WholeImageTopK, long memoryLimit = WholeImageMemoryLimit)
    {
        var bytes = (double)shape.Elements * shape.Elements * sizeof(double);
        if (bytes > memoryLimit)
        {
            throw new ArgumentException(
                $"The correlation over all {shape.Elements:N0} values of {shape} needs {bytes:N0} bytes, the limit is {memoryLimit:N0}; "
                + "measure it in patches.");
        }

        return new PatchCorrelation(shape, Math.Max(shape.Height, shape.Width), topK, memoryLimit);
    }

    /// <summary>
    /// Takes in what was kept of the rows that follow these in the same pass. Where there are several passes, the parts of a later one
    /// are made by <see cref="AtPass"/> and merged into the correlation whose earlier passes are ended.
    /// </summary>
    /// <exception cref="ArgumentException">The other has another shape, setting or pass, or ended passes of its own.</exception>
    public void Merge(PatchCorrelation later)
    {
        ArgumentNullException.ThrowIfNull(later);
        if (later._shape != _shape || later._patchSize != _patchSize || later._topK != _topK || later._memoryLimit != _memoryLimit)
            throw new ArgumentException("Correlations of other shapes or settings cannot be put together.", nameof(later));
        if (later.Pass != Pass || Pass == PassCount || later._strongest.Count > 0)
            throw new ArgumentException(
                $"A correlation in pass {Pass} cannot take in one in pass {later.Pass}, or one that ended passes of its own.",
                nameof(later));
        if (later._count == 0)
            return;

        using var scope = NewDisposeScope();
        _shift ??= later._shift!.clone().DetachFromDisposeScope();
        var difference = later._shift! - _shift;
        foreach (var (ours, theirs) in _regions.Zip(later._regions))
            ours.Merge(theirs, later._count, difference);
        _count += later._count;
    }

    /// <summary>A correlation without rows in a pass later than the first: what a part of that pass is added to.</summary>
    /// <exception cref="ArgumentException">As the constructor, or there is no such pass.</exception>
    public static PatchCorrelation AtPass(
        int pass,
        StateShape shape,
        int patchSize = DefaultPatchSize,
        int topK = DefaultTopK,
        long memoryLimit = DefaultMemoryLimit)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(patchSize, 1);
        var passes = PatchRegion.Plan(shape, patchSize, memoryLimit);
        if (pass < 0 || pass >= passes.Count)
            throw new ArgumentOutOfRangeException(
                nameof(pass), pass, $"The correlation has {passes.Count} passes; {pass} is none of them.");
        return new(shape, patchSize, topK, memoryLimit, passes, pass);
    }

    /// <summary>
    /// Writes settings, sums and products: 4·Σ(V² + 3V) bytes over the patches of the pass, with V values in a patch.
    /// </summary>
    public void Write(BinaryWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write(FormatVersion);
        writer.Write(_shape);
        writer.Write(_patchSize);
        writer.Write(_topK);
        writer.Write(_memoryLimit);
        writer.Write(Pass);
        writer.Write(_firstPassCount ?? -1);
        writer.Write(_count);
        writer.WriteAll([.. _strongest]);
        writer.Write(_shift is not null);
        if (_shift is not null)
            writer.Write(_shift.bytes);
        foreach (var region in _regions)
            region.Write(writer);
    }

    /// <inheritdoc/>
    public static PatchCorrelation Read(BinaryReader reader)
    {
        ArgumentNullException.ThrowIfNull(reader);
        return PartialSumsFormat.Read("the correlation", FormatVersion, reader, () =>
        {
            var shape = reader.ReadShape();
            var (patchSize, topK, memoryLimit, pass) = (reader.ReadInt32(), reader.ReadInt32(), reader.ReadInt64(), reader.ReadInt32());
            ArgumentOutOfRangeException.ThrowIfLessThan(shape.Channels, 1);
            ArgumentOutOfRangeException.ThrowIfLessThan(patchSize, 1);
            var passes = PatchRegion.Plan(shape, patchSize, memoryLimit);
            if (pass < 0 || pass > passes.Count)
                throw new InvalidDataException($"They have {passes.Count} passes, and not a pass {pass}.");
            if (pass < passes.Count)
                reader.Expect(passes[pass].Sum(region => region.Bytes(shape.Channels)) / 2);
            var correlation = new PatchCorrelation(shape, patchSize, topK, memoryLimit, passes, pass);
            try
            {
                correlation.ReadSums(reader);
                return correlation;
            }
            catch
            {
                correlation.Dispose();
                throw;
            }
        });
    }

    void ReadSums(BinaryReader reader)
    {
        var firstPassCount = reader.ReadInt64();
        var count = reader.ReadInt64();
        _strongest.AddRange(reader.ReadDoubles(StrongestAtMost));
        _firstPassCount = firstPassCount < 0 ? null : firstPassCount;
        _count = count;
        if (reader.ReadBoolean())
        {
            _shift = empty(_shape.Batch(1), ScalarType.Float64, CPU).DetachFromDisposeScope();
            reader.BaseStream.ReadExactly(_shift.bytes);
        }

        foreach (var region in _regions)
            region.Read(reader);
    }

    int StrongestAtMost => checked(_passes.Sum(pass => pass.Sum(region => region.Patches)) * _topK);
}
