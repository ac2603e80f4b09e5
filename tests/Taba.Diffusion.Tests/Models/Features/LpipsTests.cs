using System.Runtime.InteropServices;
using Taba.Diffusion.Models.Features;
using Taba.Diffusion.Native;
using Taba.Diffusion.Tests.Metrics;
using Taba.Diffusion.Weights;
using Taba.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace Taba.Diffusion.Tests.Models.Features;

public sealed class LpipsTests
{
    static readonly RandomWeights s_alexNet = new(Lpips.AlexNetParameters().Append(new("classifier.6.weight", [10, 20])));
    static readonly RandomWeights s_channels = new(Lpips.ChannelParameters());

    [Fact]
    [Trait(Needs.Trait, Needs.Process)]
    public void Forward_IsThatOfPlainTorch()
    {
        using var scope = NewDisposeScope();
        var (a, b) = (Pictures(3, 1), Pictures(3, 2));
        var expected = TorchReference.Run(
            """
            def run(x):
                x = (x - torch.tensor([-.030, -.088, -.188]).view(1, 3, 1, 1)) / torch.tensor([.458, .448, .450]).view(1, 3, 1, 1)
                maps = []
                for layer, stride, padding in ((0, 4, 2), (3, 1, 2), (6, 1, 1), (8, 1, 1), (10, 1, 1)):
                    x = F.relu(F.conv2d(x, t[f"features.{layer}.weight"], t[f"features.{layer}.bias"], stride, padding))
                    maps.append(x / (x.pow(2).sum(1, keepdim=True).sqrt() + 1e-10))
                    if layer in (0, 3):
                        x = F.max_pool2d(x, 3, 2)
                return maps
            out = sum(F.conv2d((x - y) ** 2, t[f"lin{i}.model.1.weight"]).mean((2, 3))[:, 0]
                      for i, (x, y) in enumerate(zip(run(t["a"]), run(t["b"]))))
            """,
            new Both(s_alexNet, s_channels),
            [.. Lpips.AlexNetParameters(), .. Lpips.ChannelParameters()],
            ("a", a),
            ("b", b));
        using var lpips = Lpips.Load(s_alexNet, s_channels, CPU);
        TorchReference.AssertNear(expected, lpips.Forward(a, b));
    }

    [Fact]
    public void Forward_OfEqualPictures_IsZeroAndOfTheReverseTheSame()
    {
        using var scope = NewDisposeScope();
        using var lpips = Lpips.Load(s_alexNet, s_channels, CPU);
        var (a, b) = (Pictures(2, 1), Pictures(2, 2));
        Assert.All(lpips.Forward(a, a).data<float>().ToArray(), value => Assert.Equal(0, value));
        Assert.Equal(lpips.Forward(a, b).data<float>().ToArray(), lpips.Forward(b, a).data<float>().ToArray());
    }

    [Fact]
    public void Forward_OfManyCalls_LeavesNoTensorBehind()
    {
        using var scope = NewDisposeScope();
        using var lpips = Lpips.Load(s_alexNet, s_channels, CPU);
        var (a, b) = (Pictures(1, 1), Pictures(1, 2));
        lpips.Forward(a, b).Dispose();
        var before = DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;
        lpips.Forward(a, b).Dispose();
        Assert.Equal(before, DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount);
    }

    [Fact]
    public void Forward_OfPicturesTooSmallOrUnlike_SaysSo()
    {
        using var scope = NewDisposeScope();
        using var lpips = Lpips.Load(s_alexNet, s_channels, CPU);
        var error = Assert.Throws<ArgumentException>(() => lpips.Forward(zeros(1, 3, 30, 64), zeros(1, 3, 30, 64)));
        Assert.Contains("31 pixels", error.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => lpips.Forward(zeros(1, 3, 31, 64), zeros(1, 3, 31, 32)));
        Assert.Equal(1, lpips.Forward(zeros(1, 3, 31, 31), ones(1, 3, 31, 31)).shape[0]);
    }

    [Fact]
    public void Load_OfAnotherArchitecture_SaysSo() => Assert.Throws<WeightsMismatchException>(
        () => Lpips.Load(s_alexNet.With("features.3.weight", 192, 64, 3, 3), s_channels, CPU));

    [Fact]
    public void Quantised_IsUpstreams()
    {
        // The fixture was made of the first four, moved to [0,1] without clamping.
        var pictures = Golden.Input("samples").Take(4 * 3 * 16 * 16).Select(value => (value / 2) + 0.5f).ToArray();
        var quantised = new float[pictures.Length];
        PictureInput.Quantised(pictures, quantised);
        Assert.Equal(MemoryMarshal.Cast<byte, float>(Golden.Output("diversity.tensor_to_lpips_tensor")).ToArray(), quantised);
    }

    static Tensor Pictures(int count, ulong seed)
    {
        using var generator = new Generator(seed);
        return rand([count, 3, 64, 48], generator: generator).mul(Scalars.Two).sub(Scalars.One);
    }

    sealed class Both(IWeightSource one, IWeightSource two) : IWeightSource
    {
        public string Description => "both";

        public IReadOnlyCollection<string> Names => [.. one.Names, .. two.Names];

        public bool TryGetShape(string name, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out long[]? shape) =>
            one.TryGetShape(name, out shape) || two.TryGetShape(name, out shape);

        public Tensor Load(string name, ScalarType dtype, Device device) =>
            (one.TryGetShape(name, out _) ? one : two).Load(name, dtype, device);
    }
}
