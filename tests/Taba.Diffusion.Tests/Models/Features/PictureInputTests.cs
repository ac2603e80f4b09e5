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
    public void Bytes_Rounded_AreUpstreams()
    {
        var samples = Golden.Input("samples");
        var expected = Golden.Output("diffusers.pt_to_pil");
        for (var i = 0; i < 4; i++)
            Assert.Equal(
                expected[(i * 768)..((i + 1) * 768)], PictureInput.Bytes(samples.AsSpan(i * 768, 768), 16, 16, rounded: true));
    }

    [Fact]
    public void Bytes_CutOff_AreUpstreamsOfWhatItMeasuresFidOf()
    {
        // The fixture was made of 1.3 times the samples, so that some of them are clamped.
        var samples = Golden.Input("samples").Select(value => 1.3f * value).ToArray();
        var expected = Golden.Output("fid.ldm_tensor_to_images");
        var differing = 0;
        for (var i = 0; i < 4; i++)
        {
            foreach (var (theirs, ours) in expected[(i * 768)..((i + 1) * 768)].Zip(
                PictureInput.Bytes(samples.AsSpan(i * 768, 768), 16, 16, rounded: false)))
            {
                Assert.InRange(ours - theirs, -1, 1);
                differing += ours == theirs ? 0 : 1;
            }
        }

        Assert.InRange(differing, 0, 3);
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
