using Taba.Diffusion.Weights;

namespace Taba.Diffusion.Tests.Weights;

/// <summary>Indices and shards that do not agree are refused when they are opened, and every offending name is told.</summary>
public sealed class ShardedWeightsTests : IDisposable
{
    const string IndexFile = "model.safetensors.index.json", First = "model-00001-of-00002.safetensors", Second =
        "model-00002-of-00002.safetensors";

    readonly ComponentFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    string Refusal() => Assert.Throws<InvalidDataException>(() => DiffusersWeights.Open(_folder.Path).Dispose()).Message;

    [Fact]
    public void Open_MissingShards_NamesAll()
    {
        _folder.Index(IndexFile, ("a", First), ("b", Second));
        Assert.Contains($"2 shards not in its folder: {First}, {Second}", Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void Open_TensorInTwoShards_NamesBoth()
    {
        _folder.Index(IndexFile, ("a", First), ("b", Second));
        _folder.Scalar(First, "a", 1);
        _folder.Safetensors(Second, ("a", [1], 2), ("b", [1], 3));
        Assert.Contains($"one tensor twice: a ({First} and {Second})", Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void Open_TensorsThatTheirShardLacks_NamesAll()
    {
        _folder.Index(IndexFile, ("a", First), ("b", First), ("c", First));
        _folder.Scalar(First, "a", 1);
        Assert.Contains($"2 tensors that the named shard does not hold: b ({First}), c ({First})", Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void Open_TensorsThatTheIndexDoesNotName_NamesAll()
    {
        _folder.Index(IndexFile, ("a", First));
        _folder.Safetensors(First, ("a", [1], 1), ("x", [1], 2));
        Assert.Contains($"one tensor that its weight_map does not name: x ({First})", Refusal(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("../model.safetensors")]
    [InlineData("/etc/model.safetensors")]
    [InlineData("sub/model.safetensors")]
    [InlineData("..\\model.safetensors")]
    [InlineData(".safetensors")]
    [InlineData("model.bin")]
    [InlineData("model\0.safetensors")]
    [InlineData("")]
    public void Open_ShardOutsideTheFolderOrOfAnotherKind_IsRefused(string shard)
    {
        _folder.Index(IndexFile, ("a", shard));
        Assert.Contains("is not the name of a .safetensors file beside the index", Refusal(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "not valid JSON")]
    [InlineData("[]", "not a JSON object")]
    [InlineData("{}", "no weight_map")]
    [InlineData("""{"weight_map":[]}""", "no weight_map")]
    [InlineData("""{"weight_map":{}}""", "empty weight_map")]
    [InlineData("""{"weight_map":{"a":3}}""", "should lie in 3")]
    [InlineData("""{"weight_map":{"a":"m.safetensors","a":"n.safetensors"}}""", "not valid JSON")]
    public void Open_DamagedIndex_SaysWhatIsWrong(string json, string expected)
    {
        _folder.Write(IndexFile, System.Text.Encoding.UTF8.GetBytes(json));
        Assert.Contains(expected, Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void Open_IndexBeyondTheLimit_IsRefusedUnread()
    {
        using (var file = File.Create(_folder.At(IndexFile)))
            file.SetLength(17 << 20);
        Assert.Contains("at most", Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void Open_DamagedShard_NamesTheShard()
    {
        _folder.Index(IndexFile, ("a", First));
        _folder.Write(First, "not a checkpoint at all"u8);
        Assert.Contains(
            First, Assert.Throws<WeightsFormatException>(() => DiffusersWeights.Open(_folder.Path)).Message, StringComparison.Ordinal);
    }
}
