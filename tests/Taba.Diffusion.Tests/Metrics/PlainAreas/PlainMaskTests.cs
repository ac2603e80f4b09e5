using Taba.Diffusion.Metrics.PlainAreas;

namespace Taba.Diffusion.Tests.Metrics.PlainAreas;

public sealed class PlainMaskTests
{
    [Fact]
    public void Find_AStepOfOneChannel_EndsPlainAreasAboveAndLeftOfIt()
    {
        // 4x5 pixels; the second channel rises by 1 from column 2 to 3 and from row 1 to 2.
        var shape = new StateShape(2, 4, 5);
        var image = new float[40];
        for (var i = 0; i < 20; i++)
            image[20 + i] = (i % 5 >= 3 ? 1 : 0) + (i / 5 >= 2 ? 1 : 0);
        var plain = new bool[20];
        Assert.Equal(20 - 4 - 5 + 1, new PlainMask(shape, 0.5f).Find(image, plain));
        for (var i = 0; i < 20; i++)
            Assert.Equal(i % 5 != 2 && i / 5 != 1, plain[i]);

        // Half of the difference is what counts, and it must be smaller than the threshold.
        Assert.Equal(19, new PlainMask(shape, 0.51f).Find(image, plain));
        Assert.False(plain[7]);
        Assert.Equal(20, new PlainMask(shape, 1.01f).Find(image, plain));
    }

    [Fact]
    public void Find_Borders_AreBiasedTowardsPlain()
    {
        // Along each row the values jump, down the columns they do not: only the last column has nothing to differ from.
        var shape = new StateShape(1, 3, 4);
        float[] image = [0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1];
        var plain = new bool[12];
        Assert.Equal(3, new PlainMask(shape).Find(image, plain));
        Assert.True(plain[3] && plain[7] && plain[11]);

        // The last corner differs from nothing, whatever it is.
        Assert.Equal(1, new PlainMask(shape).Find(AnalysisRows.Normal(3, 12), plain));
        Assert.True(plain[11]);
    }

    [Fact]
    public void Find_MovedAndScaledWithItsThreshold_IsTheSame()
    {
        var shape = new StateShape(1, 40, 30);
        var image = AnalysisRows.Normal(1, 1200, deviation: 0.25);
        var (plain, other) = (new bool[1200], new bool[1200]);
        var count = new PlainMask(shape, 0.25f).Find(image, plain);
        Assert.InRange(count, 100, 1100);
        Assert.Equal(count, new PlainMask(shape, 1).Find(image.Times(4), other));
        Assert.Equal(plain, other);
        Assert.NotEqual(count, new PlainMask(shape, 0.25f).Find(image.Times(4), other));
    }

    [Fact]
    public void Find_ValuesThatAreNoNumbers_AreNotPlain()
    {
        var plain = new bool[6];
        Assert.Equal(2, new PlainMask(new StateShape(1, 1, 3)).Find([0, 0, float.NaN], plain.AsSpan(0, 3)));
        Assert.True(plain[0] && !plain[1] && plain[2]);
        Assert.Throws<ArgumentException>(() => new PlainMask(new StateShape(1, 1, 3)).Find([0, 0], new bool[3]));
        Assert.Throws<ArgumentOutOfRangeException>(() => new PlainMask(new StateShape(1, 1, 3), 0));
    }
}
