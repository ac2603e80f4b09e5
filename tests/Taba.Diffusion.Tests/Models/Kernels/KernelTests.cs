using Taba.Diffusion.Models.Kernels;
using Taba.Diffusion.Models.Layers;
using Taba.Diffusion.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Taba.Diffusion.Tests.Models.Kernels;

/// <summary>Own kernels against libtorch's operations in float64.</summary>
public sealed class KernelTests
{
    static readonly Scalar s_hundred = 100.ToScalar();

    [Theory]
    [InlineData(1, 128, 8, Modulation.ScaleShift, true)]
    [InlineData(3, 64, 5, Modulation.Add, true)]
    [InlineData(2, 96, 1, Modulation.None, false)]
    [InlineData(2, 192, 33, Modulation.None, true)]
    public void GroupNorm_LargeCommonOffset_AsOperationsInDoublePrecision(
        int rows, int channels, int side, object modulation, bool silu)
    {
        var kind = (Modulation)modulation;
        using var scope = NewDisposeScope();
        using var generator = new Generator(3);
        // A mean a hundred times the deviation: sums of squares would lose four digits.
        var x = MemoryLayout.ChannelsLast(
            randn([rows, channels, side, side], generator: generator).add(
                randn([1, channels, 1, 1], generator: generator), s_hundred));
        var (weight, bias) = (randn([channels], generator: generator), randn([channels], generator: generator));
        var timestep = kind == Modulation.None
            ? null
            : randn([rows, kind == Modulation.Add ? channels : 2 * channels], generator: generator);

        var actual = NormKernel.Forward(x, weight, bias, 32, 1e-5, kind, timestep, silu);

        var wide = x.to(ScalarType.Float64);
        var step = timestep?.to(ScalarType.Float64).unsqueeze(-1).unsqueeze(-1);
        if (kind == Modulation.Add)
            wide = wide.add(step!, Scalars.One);
        var expected = nn.functional.group_norm(wide, 32, weight.to(ScalarType.Float64), bias.to(ScalarType.Float64), 1e-5);
        if (kind == Modulation.ScaleShift)
            expected = expected.mul(step!.narrow(1, 0, channels).add(Scalars.One, Scalars.One)).add(
                step.narrow(1, channels, channels), Scalars.One);
        if (silu)
            expected = nn.functional.silu(expected);
        RequireClose(expected, actual, 3e-4);
        Assert.Equal(x.stride(), actual.stride());
    }

    [Fact]
    public void GroupNorm_OneThreadOrTwo_SameBits()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(4);
        var x = MemoryLayout.ChannelsLast(randn([3, 128, 16, 16], generator: generator));
        var (weight, bias) = (ones(128), zeros(128));
        Tensor Normalized() => NormKernel.Forward(x, weight, bias, 32, 1e-5, Modulation.None, null, silu: true);

        var (one, two) = (OnThreads(1, Normalized), OnThreads(2, Normalized));

        Assert.True(one.equal(two).all().item<bool>());
    }

    [Fact]
    public void GroupNorm_NaN_StaysInItsRow()
    {
        using var scope = NewDisposeScope();
        var x = MemoryLayout.ChannelsLast(randn([2, 64, 4, 4]));
        using var nothing = double.NaN.ToScalar();
        x[0, 3, 1, 2].fill_(nothing);

        var y = NormKernel.Forward(x, ones(64), zeros(64), 32, 1e-5, Modulation.None, null, silu: true);

        Assert.True(y[0].isnan().any().item<bool>());
        Assert.False(y[1].isnan().any().item<bool>());
    }

    [Fact]
    public void LayerNorm_ShiftAndScaleOfRows_AsOperationsInDoublePrecision()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(5);
        var x = randn([3, 17, 144], generator: generator).add(s_hundred, Scalars.One);
        var parts = randn([3, 1, 288], generator: generator).chunk(2, -1);

        var actual = LayerNormKernel.Forward(x, 1e-6, parts[0], parts[1]);

        var expected = nn.functional.layer_norm(x.to(ScalarType.Float64), [144], eps: 1e-6)
            .mul(parts[1].to(ScalarType.Float64).add(Scalars.One, Scalars.One)).add(parts[0].to(ScalarType.Float64), Scalars.One);
        RequireClose(expected, actual, 2e-4);
    }

    [Theory]
    [InlineData(1, 4, 64, 64, 64)]
    [InlineData(2, 3, 70, 93, 24)]
    [InlineData(1, 1, 5, 3, 72)]
    public void Attention_AnyLengths_AsLibtorchsInDoublePrecision(int rows, int heads, int queries, int keys, int d)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(6);
        var query = randn([rows, queries, heads, d], generator: generator).transpose(1, 2);
        var (key, value) = (randn([rows, heads, keys, d], generator: generator), randn([rows, heads, keys, d], generator: generator));

        // Where this processor or libtorch has no small products of oneDNN, libtorch's own attention.
        var actual = Attention.Of(query, key, value, fast: true);

        var expected = nn.functional.scaled_dot_product_attention(
            query.to(ScalarType.Float64), key.to(ScalarType.Float64), value.to(ScalarType.Float64)).transpose(1, 2).flatten(2);
        RequireClose(expected, actual, 1e-5);
    }

    [Theory]
    [InlineData(3, 1)]
    [InlineData(1, 1)]
    [InlineData(3, 2)]
    public void Convolve_InputsOfManySizes_AsLibtorchs(int kernel, int stride)
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var generator = new Generator(7);
        using var root = Math.Sqrt(32 * kernel * kernel).ToScalar();
        var weight = randn([48, 32, kernel, kernel], generator: generator).div_(root);
        var bias = randn([48], generator: generator);
        using var packed = new PackedWeights(weight.clone(), stride, kernel / 2);

        foreach (var (rows, side) in new[] { (1, 4), (16, 32), (2, 4), (1, 1), (3, 17), (1, 4) })
        {
            var x = MemoryLayout.ChannelsLast(randn([rows, 32, side, side], generator: generator));

            var actual = packed.Convolve(x, bias);

            RequireClose(nn.functional.conv2d(x, weight, bias, [stride, stride], [kernel / 2, kernel / 2]), actual, 2e-5);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(77)]
    public void Linear_AnyRows_AsLibtorchs(int rows)
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var generator = new Generator(8);
        var (weight, bias) = (randn([96, 64], generator: generator), randn([96], generator: generator));
        var kept = new List<IDisposable>();
        var linear = Linear.Pack(weight.clone(), bias, kept.Add);
        var x = randn([rows, 2, 64], generator: generator);

        RequireClose(nn.functional.linear(x, weight, bias), linear.Forward(x), 1e-4);
        RequireClose(
            nn.functional.gelu(nn.functional.linear(x, weight, bias), TorchSharp.Modules.GELU.Approximate.tanh),
            linear.Forward(x, Activation.GeluTanh), 1e-4);
        foreach (var one in kept)
            one.Dispose();
    }

    static void RequireClose(Tensor expected, Tensor actual, double tolerance)
    {
        Assert.Equal(expected.shape, actual.shape);
        Assert.InRange((actual.to(ScalarType.Float64) - expected.to(ScalarType.Float64)).abs().max().item<double>(), 0, tolerance);
    }

    /// <summary>On a thread of its own: the number of threads is its caller's.</summary>
    static Tensor OnThreads(int threads, Func<Tensor> compute)
    {
        Tensor? result = null;
        var thread = new Thread(() =>
        {
            ProcessorThreads.Use(threads);
            result = compute();
        });
        thread.Start();
        thread.Join();
        return result!;
    }
}
