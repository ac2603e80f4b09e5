using Taba.Diffusion.Weights;
using static TorchSharp.torch;

namespace Taba.Diffusion.Tests.Weights;

public sealed class OldAttentionNamesTests : IDisposable
{
    readonly ComponentFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    DiffusersWeights Open(params (string Name, long[] Shape, float Value)[] tensors)
    {
        _folder.Safetensors("diffusion_pytorch_model.safetensors", tensors);
        return DiffusersWeights.Open(_folder.Path);
    }

    [Fact]
    public void Open_OldBlockOfConvolutions_IsSeenAsLinear()
    {
        using var weights = Open(
            ("mid.attentions.0.query.weight", [2, 2, 1, 1], 1), ("mid.attentions.0.key.weight", [2, 2, 1], 2),
            ("mid.attentions.0.value.weight", [2, 2], 3),
            ("mid.attentions.0.value.bias", [2], 4), ("mid.attentions.0.proj_attn.weight", [2, 2, 1, 1], 5),
            ("mid.attentions.0.group_norm.weight", [2], 6));

        Assert.Equal(
            ["group_norm.weight", "to_k.weight", "to_out.0.weight", "to_q.weight", "to_v.bias", "to_v.weight"],
            weights.Names.Select(name => name["mid.attentions.0.".Length..]).Order(StringComparer.Ordinal));
        foreach (var (name, value) in new[] { ("to_q", 1f), ("to_k", 2f), ("to_v", 3f), ("to_out.0", 5f) })
        {
            Assert.True(weights.TryGetShape($"mid.attentions.0.{name}.weight", out var shape));
            using var scope = NewDisposeScope();
            var tensor = weights.Load($"mid.attentions.0.{name}.weight", ScalarType.Float32, CPU);
            Assert.Equal([2, 2], shape);
            Assert.Equal([2, 2], tensor.shape);
            Assert.Equal(value, tensor.mean().item<float>());
        }

        Assert.False(weights.TryGetShape("mid.attentions.0.query.weight", out _));
        Assert.Throws<KeyNotFoundException>(() => weights.Load("mid.attentions.0.query.weight", ScalarType.Float32, CPU));
    }

    [Fact]
    public void Open_QueriesOfAnotherKindOfBlock_KeepTheirNames()
    {
        using var weights = Open(
            ("encoder.attention.query.weight", [2, 2], 1), ("codebook.key.weight", [2, 2, 1, 1], 2), ("mid.proj_attn.weight", [2, 2], 3));
        Assert.Equal(
            ["codebook.key.weight", "encoder.attention.query.weight", "mid.to_out.0.weight"], weights.Names.Order(StringComparer.Ordinal));
        Assert.True(weights.TryGetShape("codebook.key.weight", out var shape));
        Assert.Equal([2, 2, 1, 1], shape);
    }

    [Fact]
    public void Open_OneWeightUnderBothNames_IsRefused()
    {
        var error = Assert.Throws<InvalidDataException>(
            () => Open(("m.query.weight", [1], 1), ("m.to_q.weight", [1], 1), ("m.proj_attn.weight", [1], 1)));
        Assert.Contains("'m.query.weight' and 'm.to_q.weight'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Renamed_NoOldNames_IsTheSourceItself()
    {
        using var weights = Open(("a", [1], 1));
        Assert.Same(weights, DiffusersWeights.Renamed(weights));
    }
}
