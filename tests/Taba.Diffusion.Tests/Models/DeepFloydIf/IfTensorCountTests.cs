using Taba.Diffusion.Tests.Models.TextEncoders;
using static TorchSharp.torch;

namespace Taba.Diffusion.Tests.Models.DeepFloydIf;

/// <summary>libtorch's memory is invisible to the garbage collector: a tensor left behind is a leak.</summary>
[Collection(nameof(TensorCountTests))]
public sealed class IfTensorCountTests
{
    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.BFloat16)]
    public void Forward_UNetManyTimes_NothingIsLeft(ScalarType dtype)
    {
        using var network = UNet2DConditionTests.Network(UNet2DConditionTests.tiny, dtype);
        RequireNothingLeft(() => network.Forward(ones(2, 3, 16, 16), tensor([1f, 500f]), ones(2, 5, 32)).Dispose());
    }

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.Float16)]
    public void Forward_TextEncoderManyTimes_NothingIsLeft(ScalarType dtype)
    {
        using var encoder = T5EncoderTests.Encoder(T5EncoderTests.tiny, dtype);
        RequireNothingLeft(() => encoder.Forward(tensor(new long[,] { { 5, 1, 0 } }), tensor(new long[,] { { 1, 1, 0 } })).Dispose());
    }

    [Fact]
    public void Dispose_Networks_NothingIsLeft() => RequireNothingLeft(() =>
    {
        UNet2DConditionTests.Network(UNet2DConditionTests.tiny).Dispose();
        T5EncoderTests.Encoder(T5EncoderTests.tiny).Dispose();
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
            using var scope = NewDisposeScope();
            step();
        }
    }
}
