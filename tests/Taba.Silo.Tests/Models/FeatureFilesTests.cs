using Taba.Grains;
using Taba.Silo.Models;
using Taba.Testing;
using Taba.Testing.Stores;

namespace Taba.Silo.Tests.Models;

/// <summary>Weights of networks of features on a machine that did not plan the sweep.</summary>
public sealed class FeatureFilesTests : IDisposable
{
    readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Describe_TheSameFilesElsewhere_HasTheirDigest()
    {
        var files = new FeatureFiles(null);
        var first = files.Describe("clip", FeatureCheckpoints.WriteClip(_folder["a"]));
        var second = files.Describe("clip", FeatureCheckpoints.WriteClip(_folder["b"]));
        Assert.Equal(first.File.Digest, second.File.Digest);
        Assert.Equal(0, first.Values);

        File.AppendAllText(Path.Combine(_folder["b"], "merges.txt"), "\n");
        Assert.NotEqual(first.File.Digest, files.Describe("clip", _folder["b"]).File.Digest);
    }

    [Fact]
    public void Require_OtherWeightsOrNone_SaysWhatIsThere()
    {
        var planned = new FeatureFiles(null).Describe("dino", FeatureCheckpoints.WriteVit(_folder["dino"])).File;
        FeaturesHere here = new(new(_folder["digests.json"])), planner = new(null);
        here.Require([planned]);
        here.Require(default);

        var other = planned with { Digest = "0123" };
        Assert.Contains(
            $"dino (0123) is not on {Environment.MachineName}: at {planned.Path} there is another one, {planned.Digest}",
            Assert.Throws<BadInputException>(() => here.Require([other])).Message, StringComparison.Ordinal);
        var gone = planned with { Path = _folder["gone"] };
        Assert.Contains(
            "there is none (", Assert.Throws<BadInputException>(() => here.Require([gone])).Message, StringComparison.Ordinal);
        planner.Require([gone]);
    }
}
