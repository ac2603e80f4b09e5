using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;
using Tensor = TorchSharp.torch.Tensor;

namespace Taba.Diffusion.Metrics.Uncertainty;

/// <summary>
/// Patch correlation (<see cref="PatchCorrelation"/>) whose covariances are kept by groups of rows, so that its spread over other rows is
/// known without a second look at them. One pass; not thread-safe.
/// </summary>
/// <remarks>
/// Memory is 16 groups x patches x D² x 8 bytes with D = channels x 64: 302 MB of a 3x64x64 image. Of images that need more
/// than <see cref="MostBytes"/>, as many patches as fit are taken, evenly spread; their spread is at least that of all patches.
/// </remarks>
public sealed class CorrelationGroups : IPartialSums<CorrelationGroups>, IDisposable
{
    /// <summary>Bytes of covariances.</summary>
    public const long MostBytes = 320L << 20;

    /// <summary>Fewer patches do not stand for an image of more.</summary>
    const int FewestPatches = 8;

    // Rows are widened to float64 in chunks of about this size.
    const long ChunkBytes = 8L << 20;

    const int FormatVersion = 1;

    readonly StateShape _shape;
    readonly int _patchSize;
    readonly int _topK;
    readonly long _rows;
    readonly IReadOnlyList<PatchRegion> _regions;
    readonly List<RegionCovariance>?[] _groups = new List<RegionCovariance>?[RowGroups.Count];
    readonly long[] _counts = new long[RowGroups.Count];
    Tensor? _shift;
    long _next;

    /// <summary>A metric without rows yet.</summary>
    /// <param name="shape">C,H,W of a row; one that <see cref="Fits"/>.</param>
    /// <param name="rows">N: all rows that are measured, in all parts.</param>
    /// <param name="firstRow">The place of the first row to come among all.</param>
    /// <param name="patchSize">Side of the square patches.</param>
    /// <param name="topK">How many correlations of a patch count.</param>
    /// <exception cref="ArgumentException">A number is not positive, or a patch is too large.</exception>
    public CorrelationGroups(
        StateShape shape, long rows, long firstRow = 0, int patchSize = PatchCorrelation.DefaultPatchSize,
        int topK = PatchCorrelation.DefaultTopK)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(shape.Elements, 1, nameof(shape));
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(firstRow);
        ArgumentOutOfRangeException.ThrowIfLessThan(patchSize, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(topK, 1);
        if (!Fits(shape, patchSize))
            throw new ArgumentException($"A {patchSize}x{patchSize} patch of {shape} is too large to be kept by groups of rows.");
        (_shape, _rows, _next, _patchSize, _topK) = (shape, rows, firstRow, patchSize, topK);
        Patches = Plan(shape, patchSize).Sum(r => r.Patches);
        _regions = Chosen(shape, patchSize);
    }

    /// <summary>Patches of an image.</summary>
    public int Patches { get; }

    /// <summary>True when all patches are measured, so that the value is that of <see cref="PatchCorrelation"/>.</summary>
    public bool IsWhole => _regions.Sum(r => r.Patches) == Patches;

    /// <summary>Rows so far.</summary>
    public long Count => _counts.Sum();

    /// <summary>True when enough patches can be kept for their spread to stand for that of the image.</summary>
    public static bool Fits(StateShape shape, int patchSize = PatchCorrelation.DefaultPatchSize) =>
        Bytes(Chosen(shape, patchSize), shape) is > 0 and <= MostBytes;

    /// <summary>Takes in the next whole rows, [n,C,H,W].</summary>
    /// <exception cref="ArgumentException">The values are not whole rows, or more than there are.</exception>
    public void Add(ReadOnlySpan<float> rows)
    {
        var length = checked((int)_shape.Elements);
        if (rows.Length % length != 0 || _next + rows.Length / length > _rows)
            throw new ArgumentException(
                $"{rows.Length} values are not whole rows of {_shape}, or more than the {_rows - _next} rows that are left.", nameof(rows));
        var most = Math.Max(1, ChunkBytes / (_shape.Elements * sizeof(double)));
        while (!rows.IsEmpty)
        {
            var group = RowGroups.Of(_next, _rows);
            var count = (int)Math.Min(most, Math.Min(rows.Length / length, RowGroups.End(group, _rows) - _next));
            AddChunk(group, rows[..(count * length)], count);
            rows = rows[(count * length)..];
            _next += count;
        }
    }

    /// <summary>The value, its spread, and the mean of each patch's strongest correlations.</summary>
    /// <exception cref="InvalidOperationException">There are no rows.</exception>
    public GroupedCorrelation Compute()
    {
        if (Count == 0)
            throw new InvalidOperationException("The correlation has no rows.");
        var all = new List<double>();
        var patches = new List<(long Variables, double Mean)>();
        var replicates = Count < RowGroups.FewestRows ? [] : new double[RowGroups.LineCount];
        for (var r = 0; r < _regions.Count; r++)
        {
            var strongest = new StrongestCorrelations(_regions[r].Variables(_shape.Channels), _topK);
            var sums = Enumerable.Range(0, RowGroups.Count).Where(g => _counts[g] > 0)
                .Select(g => (Group: g, Rows: _counts[g], Sums: _groups[g]![r])).ToList();
            for (var patch = 0; patch < _regions[r].Patches; patch++)
            {
                strongest.Clear();
                foreach (var (_, rows, covariance) in sums)
                    strongest.Add(covariance.Sums(patch), covariance.Products(patch), rows);
                var found = strongest.Find();
                if (found.IsEmpty)
                    continue;
                all.AddRange(found);
                patches.Add((_regions[r].Variables(_shape.Channels), TensorPrimitives.Sum<double>(found) / found.Length));
                for (var line = 0; line < replicates.Length; line++)
                {
                    var without = sums.Where(s => RowGroups.LeavesOut(line, s.Group)).ToList();
                    foreach (var (_, rows, covariance) in without)
                        strongest.Remove(covariance.Sums(patch), covariance.Products(patch), rows);
                    replicates[line] += TensorPrimitives.Sum(strongest.Find());
                    strongest.Restore();
                }
            }
        }
        var mean = all.Sum() / all.Count;
        var std = all.Count < 2 ? double.NaN : Math.Sqrt(all.Sum(v => (v - mean) * (v - mean)) / (all.Count - 1));
        for (var line = 0; line < replicates.Length; line++)
            replicates[line] /= all.Count;
        return new(new(mean, std), replicates.Length == 0 ? null : new(mean, replicates), patches, Patches);
    }

    /// <inheritdoc/>
    public void Merge(CorrelationGroups later)
    {
        ArgumentNullException.ThrowIfNull(later);
        if (later._shape != _shape || later._rows != _rows || later._patchSize != _patchSize || later._topK != _topK)
            throw new ArgumentException("The other correlation is of other rows, or has other settings.", nameof(later));
        if (later._shift is not { } theirs)
            return;
        using var scope = NewDisposeScope();
        _shift ??= theirs.clone().DetachFromDisposeScope();
        var difference = theirs - _shift;
        for (var group = 0; group < RowGroups.Count; group++)
        {
            if (later._groups[group] is not { } sums)
                continue;
            foreach (var (mine, other) in Opened(group).Zip(sums))
                mine.Merge(other, later._counts[group], difference);
            _counts[group] += later._counts[group];
        }
        _next = Math.Max(_next, later._next);
    }

    /// <inheritdoc/>
    public void Write(BinaryWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        using var scope = NewDisposeScope();
        writer.Write(FormatVersion);
        writer.Write(_shape);
        writer.Write(_rows);
        writer.Write(_next);
        writer.Write(_patchSize);
        writer.Write(_topK);
        writer.WriteAll(_counts);
        writer.Write(_shift is not null);
        if (_shift is not null)
            writer.Write(_shift.bytes);
        foreach (var covariance in _groups.OfType<List<RegionCovariance>>().SelectMany(g => g))
            covariance.Write(writer);
    }

    /// <inheritdoc/>
    public static CorrelationGroups Read(BinaryReader reader)
    {
        ArgumentNullException.ThrowIfNull(reader);
        return PartialSumsFormat.Read("the correlation by groups of rows", FormatVersion, reader, () =>
        {
            var read = new CorrelationGroups(
                reader.ReadShape(), reader.ReadInt64(), reader.ReadInt64(), reader.ReadInt32(), reader.ReadInt32());
            try
            {
                read.ReadSums(reader);
                return read;
            }
            catch
            {
                read.Dispose();
                throw;
            }
        });
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var covariance in _groups.OfType<List<RegionCovariance>>().SelectMany(g => g))
            covariance.Dispose();
        Array.Clear(_groups);
        _shift?.Dispose();
        _shift = null;
    }

    void ReadSums(BinaryReader reader)
    {
        using var scope = NewDisposeScope();
        RowGroups.ReadCounts(reader, _counts, _rows);
        if (reader.ReadBoolean())
        {
            _shift = empty(_shape.Batch(1), ScalarType.Float64, CPU).DetachFromDisposeScope();
            reader.BaseStream.ReadExactly(_shift.bytes);
        }
        else if (Count > 0)
        {
            throw new InvalidDataException("The correlation has rows and no first row.");
        }
        for (var group = 0; group < RowGroups.Count; group++)
        {
            if (_counts[group] > 0)
                Opened(group).ForEach(covariance => covariance.Read(reader));
        }
    }

    void AddChunk(int group, ReadOnlySpan<float> values, int count)
    {
        using var scope = NewDisposeScope();
        var wide = empty(_shape.Batch(count), ScalarType.Float64, CPU);
        var doubles = MemoryMarshal.Cast<byte, double>(wide.bytes);
        for (var i = 0; i < values.Length; i++)
            doubles[i] = values[i];

        // Sums of differences from the first row: small where values hardly vary, and exactly 0 where they do not vary at all.
        _shift ??= wide.narrow(0, 0, 1).clone().DetachFromDisposeScope();
        wide.sub_(_shift);
        foreach (var covariance in Opened(group))
            covariance.Add(wide, count);
        _counts[group] += count;
    }

    List<RegionCovariance> Opened(int group) =>
        _groups[group] ??= [.. _regions.Select(region => new RegionCovariance(region, _shape.Channels))];

    static IReadOnlyList<PatchRegion> Plan(StateShape shape, int patchSize) => PatchRegion.Plan(shape, patchSize, long.MaxValue)[0];

    static long Bytes(IEnumerable<PatchRegion> regions, StateShape shape) =>
        regions.Aggregate(0L, (bytes, region) => checked(bytes + RowGroups.Count * region.Bytes(shape.Channels)));

    /// <summary>All patches, or as many as fit, evenly spread; none where too few do.</summary>
    static IReadOnlyList<PatchRegion> Chosen(StateShape shape, int patchSize)
    {
        var regions = Plan(shape, patchSize);
        if (Bytes(regions, shape) <= MostBytes)
            return regions;
        var single = regions.SelectMany(region => Enumerable.Range(0, region.Patches).Select(i => region with
        {
            Top = region.Top + i / region.Columns * region.PatchHeight,
            Left = region.Left + i % region.Columns * region.PatchWidth,
            Rows = 1,
            Columns = 1,
        })).ToList();
        var fitting = (int)(MostBytes / single.Max(p => RowGroups.Count * p.Bytes(shape.Channels)));
        return fitting < FewestPatches
            ? []
            : [.. Enumerable.Range(0, fitting).Select(i => single[(int)((i + 0.5) * single.Count / fitting)])];
    }
}
