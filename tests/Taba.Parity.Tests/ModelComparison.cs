using System.Text.Json;
using Taba.Testing;
using static TorchSharp.torch;

namespace Taba.Parity.Tests;

/// <summary>The reference's outputs of one case, with the case's tolerance.</summary>
sealed class ModelComparison
{
    readonly string _name;
    readonly ReferenceTensors _expected;
    readonly double _atol;
    readonly double _rtol;
    readonly HashSet<string> _seen = [];

    internal ModelComparison(string name)
    {
        _name = name;
        _expected = ReferenceTensors.Load($"{name}/outputs.safetensors");
        using var document = JsonDocument.Parse(File.ReadAllText(ReferenceSet.At($"{name}/case.json")));
        var tolerance = document.RootElement.GetProperty("tolerance");
        (_atol, _rtol) = (tolerance.GetProperty("atol").GetDouble(), tolerance.GetProperty("rtol").GetDouble());
    }

    /// <summary>A layer's output, where the reference recorded that layer.</summary>
    internal void Observe(string what, Tensor actual)
    {
        if (_expected.Has(what))
            Require(what, actual);
    }

    internal void Require(string what, Tensor actual)
    {
        Assert.Equal(_expected.Shape(what), actual.shape);
        TensorAssert.Close(actual.contiguous().data<float>().ToArray(), _expected.Values<float>(what), _atol, _rtol, $"{_name}/{what}");
        _seen.Add(what);
    }

    /// <summary>Integers, to the last one.</summary>
    internal void RequireEqual(string what, Tensor actual)
    {
        Assert.Equal(_expected.Shape(what), actual.shape);
        Assert.Equal(_expected.Values<long>(what).ToArray(), actual.contiguous().data<long>().ToArray());
        _seen.Add(what);
    }

    internal void RequireAllSeen(string prefix)
    {
        var recorded = _expected.Names.Where(layer => layer.StartsWith(prefix, StringComparison.Ordinal)).ToArray();
        Assert.NotEmpty(recorded);
        Assert.Subset(_seen, recorded.ToHashSet());
    }
}
