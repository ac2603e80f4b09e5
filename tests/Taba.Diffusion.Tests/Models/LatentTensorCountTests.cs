using Taba.Diffusion.Tests.Models.Autoencoders;
using Taba.Diffusion.Tests.Models.Dit;
using Taba.Diffusion.Tests.Models.Ldm;
using static TorchSharp.torch;

namespace Taba.Diffusion.Tests.Models;

/// <summary>libtorch's memory is invisible to the garbage collector: a tensor left behind is a leak.</summary>
[Collection(nameof(TensorCountTests))]
public sealed class LatentTensorCountTests
{
    const string Vq = "models/ldm_tiny/vqvae", KL = "models/dit_tiny/vae";

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.BFloat16)]
    public void Forward_TransformerManyTimes_NothingIsLeft(ScalarType dtype)
    {
        using var network = DitTransformerTests.Network(DitTransformerTests.tiny, dtype);
        using var x = ones(2, 4, 8, 8);
        using var timesteps = tensor([1f, 500f]);
        using var labels = tensor([3L, 1000]);
        RequireNothingLeft(() => network.Forward(x, timesteps, labels).Dispose());
    }

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.BFloat16)]
    public void Forward_UNetManyTimes_NothingIsLeft(ScalarType dtype)
    {
        using var network = UNet2DModelTests.Network(UNet2DModelTests.tiny, dtype);
        using var x = ones(2, 3, 16, 16);
        using var timesteps = tensor([1f, 500f]);
        RequireNothingLeft(() => network.Forward(x, timesteps).Dispose());
    }

    [Theory]
    [InlineData(Vq, ScalarType.Float32)]
    [InlineData(Vq, ScalarType.BFloat16)]
    [InlineData(KL, ScalarType.Float32)]
    [InlineData(KL, ScalarType.BFloat16)]
    public void DecodeAndEncode_ManyTimes_NothingIsLeft(string folder, ScalarType dtype)
    {
        using var network = AutoencoderTests.Network(folder, dtype);
        using var latents = ones(2, AutoencoderTests.Config(folder).StateChannels, 4, 4);
        using var images = ones(2, 3, 16, 16);
        RequireNothingLeft(() =>
        {
            network.Decode(latents).Dispose();
            network.Encode(images).Dispose();
        });
    }

    [Fact]
    public void Dispose_Networks_NothingIsLeft() => RequireNothingLeft(() =>
    {
        DitTransformerTests.Network(DitTransformerTests.tiny).Dispose();
        UNet2DModelTests.Network(UNet2DModelTests.tiny).Dispose();
        AutoencoderTests.Network(Vq).Dispose();
        AutoencoderTests.Network(KL).Dispose();
    });

    static void RequireNothingLeft(Action step)
    {
        Run();
        var before = Tensor.TotalCount;

        for (var i = 0; i < 5; i++)
            Run();

        Assert.Equal(before, Tensor.TotalCount);

        void Run()
        {
            using var inference = inference_mode();
            step();
        }
    }
}
