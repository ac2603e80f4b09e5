using System.Security.Cryptography;
using System.Text.Json;
using Taba.Diffusion.Tensors;
using Taba.Diffusion.Weights;
using Taba.Testing;

namespace Taba.Diffusion.Tests.Weights;

/// <summary>Files that real versions of torch wrote.</summary>
public sealed class FixtureCheckpointTests
{
    public static TheoryData<string> SavedRuns =>
        [.. Fixtures.Cases("e2e", "samples.pt").Where(run => run.EndsWith("/pt", StringComparison.Ordinal))];

    public static TheoryData<string> Models =>
        [.. Fixtures.Cases("models", "case.json").SelectMany(Checkpoints)];

    [Theory]
    [MemberData(nameof(SavedRuns))]
    public void Open_SavedTensors_EqualSafetensorsByteForByte(string run)
    {
        var folder = Fixtures.At(run);
        var reference = Path.Combine(folder, "..", "tensors.safetensors");
        foreach (var path in Directory.EnumerateFiles(folder, "*.pt"))
        {
            var name = Path.GetFileNameWithoutExtension(path);
            Assert.Equal(FixtureTensors.Shape(reference, name), FixtureTensors.Shape(path, name));
            TensorAssert.SameBytes(FixtureTensors.Bytes(path, name), FixtureTensors.Bytes(reference, name), path);
        }
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Open_ModelCheckpoint_HoldsAllParameters(string checkpoint)
    {
        using var weights = WeightsFile.Open(Fixtures.At(checkpoint));
        using var json = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Path.GetDirectoryName(Fixtures.At(checkpoint))!, "case.json")));
        Assert.Equal(
            json.RootElement.GetProperty("n_params").GetInt64(),
            weights.Tensors.Sum(tensor => tensor.Shape.Aggregate(1L, (product, length) => product * length)));
    }

    [Theory]
    [Trait(Needs.Trait, Needs.Process)]
    [MemberData(nameof(Models))]
    public void Open_ModelCheckpoint_EqualsPythonByteForByte(string checkpoint)
    {
        Assert.SkipWhen(PythonTorch.MissingTorch is not null, PythonTorch.MissingTorch ?? "");
        var path = Fixtures.At(checkpoint);
        using var file = TensorFile.Open(path);
        var ours = file.Names.Select(name =>
            $"{name} {string.Join(",", file.Tensor(name).Shape)} "
            + $"{Convert.ToHexStringLower(SHA256.HashData(FixtureTensors.Bytes(file.Tensor(name))))}");

        var theirs = PythonTorch.Run(
            """
            import sys, torch, hashlib
            for k, v in torch.load(sys.argv[1]).items():
                print(k, ','.join(map(str, v.shape)), hashlib.sha256(v.contiguous().numpy().tobytes()).hexdigest())
            """,
            path);
        Assert.Equal(theirs.TrimEnd(), string.Join("\n", ours));
    }

    static IEnumerable<string> Checkpoints(string model) =>
        Directory.EnumerateFiles(Fixtures.At(model)).Where(file => file.EndsWith(".pt", StringComparison.Ordinal)).Select(
            file => $"{model}/{Path.GetFileName(file)}");
}
