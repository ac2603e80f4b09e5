using Taba.Diffusion.Metrics;
using Taba.Diffusion.Metrics.Uncertainty;
using TorchSharp;

namespace Taba.Diffusion.Tests.Metrics.Uncertainty;

public sealed class CorrelationGroupsTests
{
    static readonly StateShape s_shape = new(2, 11, 9);

    [Theory]
    [InlineData(5)]
    [InlineData(100)]
    public void Compute_OfAnyN_IsThePatchCorrelation(int rows)
    {
        var values = Rows(rows);
        using var plain = new PatchCorrelation(s_shape);
        plain.Add(values);
        using var groups = new CorrelationGroups(s_shape, rows);
        groups.Add(values.AsSpan(0, 3 * (int)s_shape.Elements));
        groups.Add(values.AsSpan(3 * (int)s_shape.Elements));
        var (expected, found) = (plain.Compute(), groups.Compute());
        Assert.True(groups.IsWhole);
        Assert.Equal(4, groups.Patches);
        Assert.Equal(expected.Mean, found.Summary.Mean, 1e-10);
        Assert.Equal(expected.Std, found.Summary.Std, 1e-10);
        Assert.Equal(rows >= RowGroups.FewestRows, found.Jackknife is not null);
    }

    [Fact]
    public void Replicates_AreTheCorrelationsOfTheRowsThatAreLeft()
    {
        const int Rows = 64;
        var values = CorrelationGroupsTests.Rows(Rows);
        using var groups = new CorrelationGroups(s_shape, Rows);
        groups.Add(values);
        var found = groups.Compute().Jackknife!;
        foreach (var line in (int[])[0, 7, 19])
        {
            using var kept = new PatchCorrelation(s_shape);
            for (var row = 0; row < Rows; row++)
            {
                if (!RowGroups.LeavesOut(line, RowGroups.Of(row, Rows)))
                    kept.Add(values.AsSpan(row * (int)s_shape.Elements, (int)s_shape.Elements));
            }
            Assert.Equal(kept.Compute().Mean, found.Replicates[line], 1e-10);
        }
    }

    [Fact]
    public void Merge_OfPartsThatWereSaved_IsTheWhole()
    {
        var values = Rows(50);
        using var whole = new CorrelationGroups(s_shape, 50);
        whole.Add(values);
        using var merged = Saved(Part(0, 7));
        foreach (var (start, end) in ((int, int)[])[(7, 8), (8, 8), (8, 31), (31, 50)])
        {
            using var part = Saved(Part(start, end));
            merged.Merge(part);
        }
        var (expected, found) = (whole.Compute(), merged.Compute());
        Assert.Equal(50, merged.Count);
        Assert.Equal(expected.Summary.Mean, found.Summary.Mean, 1e-10);
        Assert.All(expected.Jackknife!.Replicates.Zip(found.Jackknife!.Replicates), r => Assert.Equal(r.First, r.Second, 1e-10));

        CorrelationGroups Part(int start, int end)
        {
            var part = new CorrelationGroups(s_shape, 50, start);
            part.Add(values.AsSpan(start * (int)s_shape.Elements, (end - start) * (int)s_shape.Elements));
            return part;
        }
    }

    [Fact]
    public void Compute_OfAValueThatNeverVaries_IsNaN()
    {
        var values = Rows(40);
        for (var row = 0; row < 40; row++)
            values[row * s_shape.Elements + 33] = 0.1f;
        using var groups = new CorrelationGroups(s_shape, 40);
        groups.Add(values);
        Assert.Equal(double.NaN, groups.Compute().Summary.Mean);
        Assert.Equal(double.NaN, groups.Compute().Jackknife!.StandardError);
    }

    [Fact]
    public void Compute_OfALargeImage_TakesPatchesOfAllOfIt()
    {
        var shape = new StateShape(3, 128, 128);
        using var groups = new CorrelationGroups(shape, 32);
        Assert.False(groups.IsWhole);
        Assert.Equal(256, groups.Patches);
        groups.Add(Gaussians.White(shape, 32, 1));
        var found = groups.Compute();
        Assert.InRange(found.PatchMeans.Count, 64, 80);
        Assert.NotNull(found.Jackknife);
        Assert.False(CorrelationGroups.Fits(new(3, 64, 64), 64));
        Assert.Throws<ArgumentException>(() => new CorrelationGroups(new(3, 64, 64), 32, patchSize: 64));
    }

    [Fact]
    public void Add_OfMoreThanWasNamed_Throws()
    {
        using var groups = new CorrelationGroups(s_shape, 4);
        Assert.Throws<ArgumentException>(() => groups.Add(Rows(5)));
        Assert.Throws<ArgumentException>(() => groups.Add(new float[7]));
        Assert.Throws<InvalidOperationException>(() => groups.Compute());
    }

    [Fact]
    public void Read_OfSomethingElse_IsRefused()
    {
        using var groups = new CorrelationGroups(s_shape, 40);
        groups.Add(Rows(40));
        using var stream = new MemoryStream();
        groups.Write(new BinaryWriter(stream));
        var bytes = stream.ToArray();
        var before = DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;
        foreach (var length in (int[])[0, 3, 20, 100, 5000, bytes.Length - 1])
            Assert.Throws<InvalidDataException>(() => CorrelationGroups.Read(new(new MemoryStream(bytes, 0, length))));
        bytes[16] = 39;
        Assert.Throws<InvalidDataException>(() => CorrelationGroups.Read(new(new MemoryStream(bytes))));
        Assert.Equal(before, DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount);
    }

    static CorrelationGroups Saved(CorrelationGroups groups)
    {
        using (groups)
        {
            using var stream = new MemoryStream();
            groups.Write(new BinaryWriter(stream));
            return CorrelationGroups.Read(new(new MemoryStream(stream.ToArray())));
        }
    }

    /// <summary>Far from zero, and neighbours alike.</summary>
    static float[] Rows(int rows) =>
        [.. Gaussians.Blurred(s_shape, Gaussians.White(s_shape, rows, 3), 0.5f).Select(v => 100 + v)];
}
