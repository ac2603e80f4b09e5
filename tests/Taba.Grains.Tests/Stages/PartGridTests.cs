using CsCheck;
using Taba.Grains.Stages;

namespace Taba.Grains.Tests.Stages;

public sealed class PartGridTests
{
    [Theory]
    [InlineData(3 * 32 * 32 * 4, 32)]
    [InlineData(3 * 256 * 256 * 4, 16)]
    [InlineData(4 * 64 * 64 * 4, 32)]
    [InlineData(16L << 20, 1)]
    [InlineData(1L << 40, 1)]
    public void RowsPerPart_OfARowSize_FitsMemory(long rowBytes, int expected) => Assert.Equal(expected, PartGrid.RowsPerPart(rowBytes));

    [Fact]
    public void RowsPerPart_AnyRow_IsThePowerOfTwoThatFitsBest() =>
        Gen.Long[1, 1L << 36].Sample(rowBytes =>
        {
            var rows = PartGrid.RowsPerPart(rowBytes);
            Assert.True(int.IsPow2(rows));
            Assert.InRange(rows, 1, PartGrid.MaxRows);
            Assert.True(rows == 1 || rows * rowBytes <= PartGrid.MaxBytes);
            Assert.True(rows == PartGrid.MaxRows || 2 * rows * rowBytes > PartGrid.MaxBytes);
        });

    [Fact]
    public void Clip_AnyGap_StaysInOneCellAndLosesNothingOfIt() =>
        Gen.Select(Gen.Int[0, 500], Gen.Int[1, 200], Gen.Int[0, 5]).Sample((start, count, power) =>
        {
            var rowsPerPart = 1 << power;
            RowRange gap = new(start, start + count);
            var part = PartGrid.Clip(gap, rowsPerPart);
            Assert.Equal(gap.Start, part.Start);
            Assert.True(gap.Contains(part));
            Assert.False(part.IsEmpty);
            Assert.Equal(part.Start / rowsPerPart, (part.End - 1) / rowsPerPart);
            Assert.True(part.End == gap.End || part.End % rowsPerPart == 0);
        });

    [Fact]
    public void Clip_TwoSweepsOfDifferentN_CutAtTheSameRows()
    {
        static IEnumerable<int> Cuts(int n)
        {
            for (RowRange gap = new(0, n); !gap.IsEmpty;)
            {
                var part = PartGrid.Clip(gap, 32);
                yield return part.Start;
                gap = new(part.End, gap.End);
            }
        }

        Assert.Equal([0, 32, 64, 96, 128], Cuts(130));
        Assert.Equal(Cuts(128), Cuts(256).Take(4));
    }
}
