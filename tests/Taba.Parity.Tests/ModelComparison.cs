using System.Text.Json;
using Taba.Testing;
using static TorchSharp.torch;

namespace Taba.Parity.Tests;

/// <summary>The reference's outputs of one case, with the case's tolerance.</summary>
sealed class ModelComparison
{
    readonly string name;
    readonly ReferenceTensors expected;
    readonly double atol;
    readonly double rtol;
    readonly HashSet<string> seen = [];

    internal ModelComparison(string name)
    {
        this.name = name;
        expected = ReferenceTensors.Load($"{name}/outputs.safetensors");
        using var document = JsonDocument.Parse(File.ReadAllText(ReferenceSet.At($"{name}/case.json")));
        var tolerance = document.RootElement.GetProperty("tolerance");
        (atol, rtol) = (tolerance.GetProperty("atol").GetDouble(), tolerance.GetProperty("rtol").GetDouble());
    }

    /// <summary>A layer's output, where the reference recorded that layer.</summary>
    internal void Observe(string what, Tensor actual)
    {
        if (expected.Has(what))
            Require(what, actual);
    }

    internal void Require(string what, Tensor actual)
    {
        Assert.Equal(expected.Shape(what), actual.shape);
        TensorAssert.Close(actual.contiguous().data<float>().ToArray(), expected.Values<float>(what), atol, rtol, $"{name}/{what}");
        seen.Add(what);
    }

    /// <summary>Integers, to the last one.</summary>
    internal void RequireEqual(string what, Tensor actual)
    {
        Assert.Equal(expected.Shape(what), actual.shape);
        Assert.Equal(expected.Values<long>(what).ToArray(), actual.contiguous().data<long>().ToArray());
        seen.Add(what);
    }

    internal void RequireAllSeen(string prefix)
    {
        var recorded = expected.Names.Where(layer => layer.StartsWith(prefix, StringComparison.Ordinal)).ToArray();
        Assert.NotEmpty(recorded);
        Assert.Subset(seen, recorded.ToHashSet());
    }
}
