using Taba.Diffusion.Models.Features;
using Taba.Diffusion.Tests.Metrics;

namespace Taba.Diffusion.Tests.Models.Features;

public sealed class PictureInputTests
{
    [Fact]
    public void LikeTensorFlow1_OfTwiceTheSize_RepeatsTheEdgeAndKeepsTheCorner()
    {
        // One row of two pixels at scale ½: sources 0, ½, 1, 1½; the last lies beyond the last pixel, which is repeated.
        var resized = PictureInput.LikeTensorFlow1([0, 10, 20, 100, 110, 120, 0, 10, 20, 100, 110, 120], 2, 2, 4);
        Assert.Equal([0, 50, 100, 100], resized[..4]);
        Assert.Equal([10, 60, 110, 110], resized[16..20]);
    }

    [Fact]
    public void LikeTensorFlow1_OfHalfTheSize_TakesEverySecondPixelAsItIs()
    {
        var bytes = Enumerable.Range(0, 4 * 4 * 3).Select(i => (byte)(5 * i)).ToArray();
        var resized = PictureInput.LikeTensorFlow1(bytes, 4, 4, 2);
        Assert.Equal([bytes[0], bytes[6], bytes[24], bytes[30]], resized[..4].Select(value => (byte)value));
    }

    [Fact]
    public void Bytes_RoundedOrCut_AreUpstreams()
    {
        // ldm_tensor_to_images: (x + 1)·127.5, clamped, cut off. pt_to_pil: rounded.
        var samples = Golden.Input("samples")[..(4 * 768)];
        foreach (var (output, rounded) in new[] { ("fid.ldm_tensor_to_images", false), ("diffusers.pt_to_pil", true) })
        {
            var expected = Golden.Output(output);
            for (var i = 0; i < 4; i++)
            {
                var bytes = PictureInput.Bytes(samples.AsSpan(i * 768, 768), 16, 16, rounded);
                for (var k = 0; k < bytes.Length; k++)
                    Assert.InRange(bytes[k] - expected[(i * 768) + k], -1, 1);
            }
        }
    }

    [Fact]
    public void Cropped_OfAFlatPicture_IsItsColourNormalised()
    {
        var bytes = Enumerable.Range(0, 40 * 30).SelectMany(_ => new byte[] { 255, 51, 0 }).ToArray();
        var cropped = PictureInput.Cropped(bytes, 30, 40, 20, 16, [0.5f, 0.2f, 0], [0.5f, 0.1f, 2]);
        Assert.Equal(3 * 16 * 16, cropped.Length);
        Assert.All(cropped[..256], value => Assert.Equal(1, value, 1e-6));
        Assert.All(cropped[256..], value => Assert.Equal(0, value, 1e-6));
    }
}
