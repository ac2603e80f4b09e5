using System.Text.Json;
using Taba.Testing;
using static TorchSharp.torch;

namespace Taba.Parity.Tests;

/// <summary>Compares a network's outputs and the activations that a case stores (<c>act.NAME</c>): the first that differs is named.</summary>
sealed class ActivationComparison
{
    readonly string name;
    readonly ReferenceTensors expected;
    readonly HashSet<string> seen = [];
    readonly double absolute;
    readonly double relative;

    public ActivationComparison(string name)
    {
        this.name = name;
        expected = ReferenceTensors.Load($"{name}/outputs.safetensors");
        using var document = JsonDocument.Parse(File.ReadAllBytes(Fixtures.At($"{name}/case.json")));
        var tolerance = document.RootElement.GetProperty("tolerance");
        (absolute, relative) = (tolerance.GetProperty("atol").GetDouble(), tolerance.GetProperty("rtol").GetDouble());
    }

    public bool Has(string tensor) => expected.Has(tensor);

    /// <summary>To be told of a layer's output.</summary>
    public void Observe(string layer, Tensor activation)
    {
        if (expected.Has($"act.{layer}") && seen.Add(layer))
            Require($"act.{layer}", activation);
    }

    public void Require(string tensor, Tensor actual) =>
        TensorAssert.Close(actual.contiguous().data<float>().ToArray(), expected.Values<float>(tensor), absolute, relative, $"{name} {tensor}");

    /// <summary>Every activation of the network was seen.</summary>
    public void RequireAllActivations() => Assert.Equal(
        expected.Names.Where(stored => stored.StartsWith("act.", StringComparison.Ordinal)).Select(stored => stored[4..]).Order(StringComparer.Ordinal),
        seen.Order(StringComparer.Ordinal));

    public ReadOnlySpan<T> Values<T>(string tensor)
        where T : unmanaged => expected.Values<T>(tensor);
}
