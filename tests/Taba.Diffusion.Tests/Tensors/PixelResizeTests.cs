using Taba.Diffusion.Tensors;

namespace Taba.Diffusion.Tests.Tensors;

public sealed class PixelResizeTests
{
    /// <summary>Image.resize(..., BICUBIC) by Pillow of the image below, 10x13 to 4x5, 4x4 to 7x6 and 40x30 to 3x3.</summary>
    public static TheoryData<int, int, int, int, byte[]> Vectors => new()
    {
        {
            10, 13, 4, 5,
            [
                93, 150, 104, 137, 145, 117, 116, 111, 127, 114, 117, 121, 135, 136, 122, 147, 107, 156, 132, 142, 129, 118, 128, 131,
                139, 124, 133, 151, 120, 141, 121, 114, 130, 149, 102, 111, 143, 132, 113, 142, 117, 142, 135, 125, 120, 135, 130, 152,
                141, 107, 101, 109, 105, 122, 136, 135, 145, 148, 120, 136,
            ]
        },
        {
            4, 4, 7, 6,
            [
                0, 94, 216, 10, 111, 249, 38, 138, 227, 62, 162, 42, 90, 202, 20, 107, 229, 53, 15, 114, 138, 31, 137, 167,
                61, 173, 164, 86, 203, 55, 122, 181, 52, 145, 152, 80, 52, 152, 9, 72, 177, 31, 105, 217, 61, 134, 255, 82,
                171, 142, 112, 196, 28, 134, 85, 212, 16, 107, 158, 37, 147, 110, 76, 198, 155, 119, 152, 108, 167, 97, 53, 197,
                119, 225, 65, 144, 115, 90, 184, 5, 129, 221, 51, 163, 110, 97, 196, 0, 126, 214, 158, 86, 104, 195, 66, 131,
                206, 57, 175, 112, 98, 220, 71, 147, 158, 62, 179, 89, 178, 1, 124, 222, 40, 152, 217, 97, 200, 45, 134, 251,
                51, 178, 133, 107, 206, 13,
            ]
        },
        {
            40, 30, 3, 3,
            [
                134, 127, 128, 136, 125, 124, 118, 128, 124, 127, 131, 127, 127, 128, 124, 142, 126, 127, 126, 129, 134, 122, 130, 127,
                148, 111, 142,
            ]
        },
    };

    [Theory]
    [MemberData(nameof(Vectors))]
    public void Bicubic_SmallerOrLarger_IsPillows(int height, int width, int toHeight, int toWidth, byte[] expected)
    {
        var actual = PixelResize.Bicubic(Image(height, width), height, width, 3, toHeight, toWidth);

        Assert.Equal(expected, actual);
    }

    [Fact]
    public void Bicubic_SameSize_ChangesNothing() => Assert.Equal(Image(5, 7), PixelResize.Bicubic(Image(5, 7), 5, 7, 3, 5, 7));

    [Theory]
    [InlineData(1, 1)]
    [InlineData(3, 200)]
    [InlineData(97, 5)]
    public void Bicubic_OfOneColour_KeepsIt(int toHeight, int toWidth)
    {
        var plain = Enumerable.Repeat((byte)77, 20 * 30 * 3).ToArray();

        Assert.All(PixelResize.Bicubic(plain, 20, 30, 3, toHeight, toWidth), value => Assert.Equal(77, value));
    }

    static byte[] Image(int height, int width) =>
        [.. from y in Enumerable.Range(0, height) from x in Enumerable.Range(0, width) from c in Enumerable.Range(
            0, 3) select (byte)(x * 37 + y * 59 + c * 101 + x * y * 7)];
}
