using Taba.Testing;

namespace Taba.Reliability.Tests;

/// <summary>Damaged files of a store or a run folder are found, named, and never become numbers.</summary>
public sealed class HostileFileTests : IAsyncLifetime
{
    readonly Workbench _bench = new("""
        name: damaged
        model: gaussian.json
        samples: 40
        num_inference_steps: 10
        stages: [sample]
        """);

    SortedDictionary<string, string> _digests = [];

    string Sweep => Path.Combine(_bench.OutFolder, "damaged");

    public async ValueTask InitializeAsync()
    {
        (await _bench.RunSweepAsync()).ShouldEnd(0);
        _digests = SweepFiles.Digests(_bench.OutFolder);
    }

    public ValueTask DisposeAsync()
    {
        _bench.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task RunManifest_Garbage_IsRefusedAndLeftAlone()
    {
        var manifest = Directory.EnumerateFiles(Sweep, "manifest.json", SearchOption.AllDirectories).Single();
        File.WriteAllText(manifest, "\0 not a manifest {");

        var refused = (await _bench.RunSweepAsync()).ShouldEnd(2);

        Assert.Contains("manifest.json", refused.LastWord);
        Assert.Equal("\0 not a manifest {", File.ReadAllText(manifest));
        Assert.Equal(_digests, SweepFiles.Digests(_bench.OutFolder));
    }

    [Fact]
    public async Task Object_OneByteFlipped_IsFoundWhenTheRunIsAssembled()
    {
        var stage = FlipOneByte();
        Directory.Delete(Sweep, recursive: true);

        var failed = (await _bench.RunSweepAsync()).ShouldEnd(3);

        Assert.Contains("damaged", failed.LastWord);
        await MendAsync(failed, stage);
    }

    [Fact]
    public async Task Object_OneByteFlippedAndLinked_IsFound()
    {
        // Rows 0 to 31 are one part: the file of a run of just these is a link to its object, which nobody reads on the way.
        string[] run = ["run", "sweep.yaml", "samples=32", "metrics=none", "--out", "out"];
        (await _bench.RunAsync(run)).ShouldEnd(0);
        FlipOneByte();
        Directory.Delete(Sweep, recursive: true);

        var failed = (await _bench.RunAsync(run)).ShouldEnd(3);

        Assert.Contains("damaged", failed.LastWord);
    }

    [Fact]
    public async Task Object_OneByteFlipped_IsFoundWhenItIsAnInput()
    {
        var stage = FlipOneByte();

        var failed = (await _bench.RunAsync("run", "sweep.yaml", "stages=[sample,invert]", "--out", "out")).ShouldEnd(3);

        Assert.Contains("damaged", failed.LastWord);
        await MendAsync(failed, stage);
    }

    [Fact]
    public async Task PartManifest_Garbage_IsNamedAndItsRowsAreComputedAgain()
    {
        var manifest = StoreManifests.Manifests(_bench.Store)[0];
        File.WriteAllText(manifest, "{ \"schema\": ");

        var failed = (await _bench.RunSweepAsync()).ShouldEnd(3);

        Assert.Contains(manifest, failed.LastWord);
        File.Delete(manifest);
        (await _bench.RunSweepAsync()).ShouldEnd(0);
        Assert.Equal(_digests, SweepFiles.Digests(_bench.OutFolder));
    }

    /// <summary>Does what the sentence says.</summary>
    async Task MendAsync(CommandResult failed, string stage)
    {
        Assert.Contains($"taba store prune --stage {stage}", failed.LastWord);
        (await _bench.RunAsync("store", "prune", "--stage", stage, "--out", "out")).ShouldEnd(0);
        (await _bench.RunSweepAsync()).ShouldEnd(0);
        Assert.Equal(_digests, SweepFiles.Digests(_bench.OutFolder));
    }

    /// <returns>The stage whose first object is damaged now.</returns>
    string FlipOneByte()
    {
        var file = StoreManifests.Objects(_bench.Store).Order(StringComparer.Ordinal).First();
        var bytes = File.ReadAllBytes(file);
        bytes[^100] ^= 1;
        File.WriteAllBytes(file, bytes);
        return Path.GetRelativePath(Path.Combine(_bench.Store, "store"), file).Split(Path.DirectorySeparatorChar)[0];
    }
}
