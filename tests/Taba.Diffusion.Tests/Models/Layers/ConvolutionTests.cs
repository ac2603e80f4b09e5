using Taba.Diffusion.Models.Layers;
using Taba.Diffusion.Native;
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
        var padding = kernel / 2;
        var expected = nn.functional.conv2d(
            x.to(ScalarType.Float64), weight.to(ScalarType.Float64), bias.to(ScalarType.Float64), padding: [padding, padding]);

        var actual = Layer(weight, bias).Forward(x);

        Assert.Equal(ScalarType.BFloat16, actual.dtype);
        Assert.InRange((actual - expected).abs().max().item<double>(), 0, 0.01 * expected.abs().max().item<double>());
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

        var actual = Layer(weight, bias).Forward(x);

        Assert.InRange((actual - expected).abs().max().item<double>(), 0, 1e-5 * expected.abs().max().item<double>());
    }

    [Theory]
    [InlineData(2, 64, 320, 16, false)]
    [InlineData(1, 64, 512, 32, true)]
    [InlineData(2, 96, 112, 4, true)]
    [InlineData(1, 256, 1024, 1, true)] // by this one oneDNN ends the process where it takes caches for a byte
    [InlineData(2, 256, 640, 16, false)]
    public void Forward_OneByOneToOddBlocks_AsTheProduct(int batch, int channels, int outChannels, int side, bool fast)
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        var (_, weight, bias) = Drawn(channels, outChannels, 1, ScalarType.Float32);
        using var generator = new Generator(8, CPU);
        var x = randn([batch, side, side, channels], generator: generator).permute(0, 3, 1, 2);
        var expected = nn.functional.conv2d(x.to(ScalarType.Float64), weight.to(ScalarType.Float64), bias.to(ScalarType.Float64));

        var actual = Layer(weight, bias, fast ? NetworkForm.Fast : NetworkForm.Plain).Forward(x);

        Assert.InRange((actual - expected).abs().max().item<double>(), 0, 1e-5 * expected.abs().max().item<double>());
    }

    [Theory]
    [InlineData(32, 3)]
    [InlineData(64, 6)]
    public void Forward_GradientOfTheInput_AsInDoublePrecision(int channels, int outChannels)
    {
        using var scope = NewDisposeScope();
        var (x, weight, bias) = Drawn(channels, outChannels, 3, ScalarType.Float32);
        var exact = x.to(ScalarType.Float64).requires_grad_(true);
        x.requires_grad_(true);

        Layer(weight, bias).Forward(x).pow(Scalars.Two).sum().backward();
        nn.functional.conv2d(exact, weight.to(ScalarType.Float64), bias.to(ScalarType.Float64), padding: [1, 1]).pow(Scalars.Two)
            .sum().backward();

        Assert.InRange((x.grad! - exact.grad!).abs().max().item<double>(), 0, 1e-5 * exact.grad!.abs().max().item<double>());
    }

    /// <summary>As networks make their layers; the tensors go with the scope.</summary>
    static Convolution Layer(Tensor weight, Tensor bias, NetworkForm form = NetworkForm.Plain) =>
        new ParameterSet(new Dictionary<string, Tensor> { ["c.weight"] = weight, ["c.bias"] = bias }, form).Conv("c");

    static (Tensor X, Tensor Weight, Tensor Bias) Drawn(int channels, int outChannels, int kernel, ScalarType dtype)
    {
        using var generator = new Generator(7, CPU);
        var x = randn([2, channels, 16, 16], generator: generator).to(dtype);
        var weight = randn([outChannels, channels, kernel, kernel], generator: generator).to(dtype);
        var bias = randn([outChannels], generator: generator).to(dtype);
        return (x, weight, bias);
    }
}
