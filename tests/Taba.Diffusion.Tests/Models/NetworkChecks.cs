using static TorchSharp.torch;

namespace Taba.Diffusion.Tests.Models;

/// <summary>What every network is held to.</summary>
static class NetworkChecks
{
    /// <summary>A config.json's name in messages.</summary>
    public const string Source = "some/config.json";

    public static Tensor Noise(params long[] shape)
    {
        using var generator = new Generator(7);
        return randn(shape, generator: generator);
    }

    /// <summary>
    /// A row's result depends neither on its neighbours nor on its place, to the last bit: results under --deterministic rest on
    /// it.
    /// </summary>
    /// <param name="forward">The network.</param>
    /// <param name="inputs">Eight rows of each.</param>
    public static void RequireIndependentRows(Func<Tensor[], Tensor> forward, params Tensor[] inputs)
    {
        var order = tensor([7L, 3, 3, 0, 1, 3, 2, 5]);

        var straight = forward(inputs);
        var turned = forward([.. inputs.Select(input => input.index_select(0, order))]);

        Assert.True(turned.equal(straight.index_select(0, order)).all().item<bool>());
    }

    /// <summary>A result in half precision: float32, near the one in single precision, and not that one.</summary>
    public static void RequireNear(Tensor expected, Tensor actual, double tolerance)
    {
        Assert.Equal(ScalarType.Float32, actual.dtype);
        Assert.InRange((actual - expected).abs().max().item<float>(), 1e-6, tolerance * expected.abs().max().item<float>());
    }

    /// <summary>A config that is refused in one sentence with the file, the field and what is known.</summary>
    /// <param name="parse">Reads the config.</param>
    /// <param name="field">What is wrong.</param>
    /// <param name="known">What the sentence must say.</param>
    /// <param name="source">The file that it must name.</param>
    public static void RequireRefused(Func<object> parse, string field, string known, string source = Source)
    {
        var error = Assert.Throws<InvalidDataException>(parse);

        Assert.Contains(source, error.Message, StringComparison.Ordinal);
        Assert.Contains($"'{field}'", error.Message, StringComparison.Ordinal);
        Assert.Contains(known, error.Message, StringComparison.Ordinal);
    }
}
