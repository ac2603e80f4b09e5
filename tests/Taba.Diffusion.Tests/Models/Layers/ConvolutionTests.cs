using Taba.Diffusion.Models.Layers;
using TorchSharp;
using static TorchSharp.torch;

namespace Taba.Diffusion.Tests.Models.Layers;

public class ConvolutionTests
{
    [Theory]
    [InlineData(32, 3, 3)]
    [InlineData(17, 16, 3)]
    [InlineData(1, 16, 1)]
    [InlineData(4, 20, 3)]
    [InlineData(16, 32, 3)]
    public void Forward_BFloat16_RoundsWhatSinglePrecisionGives(int channels, int outChannels, int kernel)
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        var (x, weight, bias) = Drawn(channels, outChannels, kernel, ScalarType.BFloat16);
        var expected = new Convolution(weight.to(ScalarType.Float32), bias.to(ScalarType.Float32)).Forward(x.to(ScalarType.Float32));

        var actual = new Convolution(weight, bias).Forward(x);

        Assert.Equal(ScalarType.BFloat16, actual.dtype);
        Assert.InRange((actual.to(ScalarType.Float32) - expected).abs().max().item<float>(), 0, 0.01f * expected.abs().max().item<float>());
    }

    [Theory]
    [InlineData(3, 64, 3)]
    [InlineData(17, 16, 3)]
    [InlineData(20, 8, 2)]
    [InlineData(33, 32, 3)]
    [InlineData(40, 9, 1)]
    [InlineData(64, 6, 3)]
    public void Forward_MemoryThatHeldNaN_HasNoPartInTheResult(int channels, int outChannels, int kernel)
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        var (x, weight, bias) = Drawn(channels, outChannels, kernel, ScalarType.Float32);
        var padding = kernel / 2;
        var expected = nn.functional.conv2d(
            x.to(ScalarType.Float64), weight.to(ScalarType.Float64), bias.to(ScalarType.Float64), padding: [padding, padding]);
        using var nan = float.NaN.ToScalar();
        var dirt = new List<Tensor>();
        for (long size = 256; size <= 1 << 19; size = size * 3 / 2)
            dirt.AddRange(Enumerable.Range(0, 4).Select(_ => full([size], nan)));
        dirt.ForEach(d => d.Dispose());

        var actual = new Convolution(weight, bias).Forward(x);

        Assert.InRange((actual - expected).abs().max().item<double>(), 0, 1e-5 * expected.abs().max().item<double>());
    }

    static (Tensor X, Tensor Weight, Tensor Bias) Drawn(int channels, int outChannels, int kernel, ScalarType dtype)
    {
        using var generator = new Generator(7, CPU);
        var x = randn([2, channels, 16, 16], generator: generator).to(dtype);
        var weight = randn([outChannels, channels, kernel, kernel], generator: generator).to(dtype);
        var bias = randn([outChannels], generator: generator).to(dtype);
        return (x, weight, bias);
    }
}
