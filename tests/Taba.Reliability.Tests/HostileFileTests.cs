using Taba.Testing;
using Taba.Testing.Client;
using Taba.Testing.Commands;

namespace Taba.Reliability.Tests;

/// <summary>Damaged files of a store or a run folder are found, named, and never become numbers.</summary>
public sealed class HostileFileTests : IAsyncLifetime
{
    readonly CommandLine _taba = new();

    SortedDictionary<string, string> _digests = [];

    string SweepFile => _taba.At("sweep.yaml");

    string Out => _taba.At("out");

    string Store => _taba.At("out", ".taba");

    string Sweep => _taba.At("out", "damaged");

    public async ValueTask InitializeAsync()
    {
        TinyModels.Gaussian(_taba.At("gaussian.json"));
        _taba.Write("sweep.yaml", """
            name: damaged
            model: gaussian.json
            samples: 40
            num_inference_steps: 10
            stages: [sample]
            """);
        (await RunSweepAsync()).ShouldEnd(0);
        _digests = SweepFiles.Digests(Out);
    }

    public ValueTask DisposeAsync()
    {
        _taba.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task RunManifest_Garbage_IsRefusedAndLeftAlone()
    {
        var manifest = Directory.EnumerateFiles(Sweep, "manifest.json", SearchOption.AllDirectories).Single();
        File.WriteAllText(manifest, "\0 not a manifest {");

        var refused = (await RunSweepAsync()).ShouldEnd(2);

        Assert.Contains("manifest.json", refused.LastWord);
        Assert.Equal("\0 not a manifest {", File.ReadAllText(manifest));
        Assert.Equal(_digests, SweepFiles.Digests(Out));
    }

    [Fact]
    public async Task Object_OneByteFlipped_IsFoundWhenTheRunIsAssembled()
    {
        var stage = FlipOneByte();
        Directory.Delete(Sweep, recursive: true);

        var failed = (await RunSweepAsync()).ShouldEnd(3);

        Assert.Contains("damaged", failed.LastWord);
        await MendAsync(failed, stage);
    }

    [Fact]
    public async Task Object_OneByteFlippedAndLinked_IsFound()
    {
        // Rows 0 to 31 are one part: the file of a run of just these is a link to its object, which nobody reads on the way.
        string[] run = ["run", SweepFile, "samples=32", "metrics=none", "--out", Out];
        (await _taba.RunAsync(run)).ShouldEnd(0);
        FlipOneByte();
        Directory.Delete(Sweep, recursive: true);

        var failed = (await _taba.RunAsync(run)).ShouldEnd(3);

        Assert.Contains("damaged", failed.LastWord);
    }

    [Fact]
    public async Task Object_OneByteFlipped_IsFoundWhenItIsAnInput()
    {
        var stage = FlipOneByte();

        var failed = (await _taba.RunAsync("run", SweepFile, "stages=[sample,invert]", "--out", Out)).ShouldEnd(3);

        Assert.Contains("damaged", failed.LastWord);
        await MendAsync(failed, stage);
    }

    [Fact]
    public async Task PartManifest_Garbage_IsNamedAndItsRowsAreComputedAgain()
    {
        var manifest = StoreManifests.Manifests(Store)[0];
        File.WriteAllText(manifest, "{ \"schema\": ");

        var failed = (await RunSweepAsync()).ShouldEnd(3);

        Assert.Contains(manifest, failed.LastWord);
        File.Delete(manifest);
        (await RunSweepAsync()).ShouldEnd(0);
        Assert.Equal(_digests, SweepFiles.Digests(Out));
    }

    Task<CommandResult> RunSweepAsync() => _taba.RunAsync("run", SweepFile, "--out", Out);

    /// <summary>Does what the sentence says.</summary>
    async Task MendAsync(CommandResult failed, string stage)
    {
        Assert.Contains($"taba store prune --stage {stage}", failed.LastWord);
        (await _taba.RunAsync("store", "prune", "--stage", stage, "--out", Out)).ShouldEnd(0);
        (await RunSweepAsync()).ShouldEnd(0);
        Assert.Equal(_digests, SweepFiles.Digests(Out));
    }

    /// <returns>The stage whose first object is damaged now.</returns>
    string FlipOneByte()
    {
        var file = StoreManifests.Objects(Store).Order(StringComparer.Ordinal).First();
        var bytes = File.ReadAllBytes(file);
        bytes[^100] ^= 1;
        File.WriteAllBytes(file, bytes);
        return Path.GetRelativePath(Path.Combine(Store, "store"), file).Split(Path.DirectorySeparatorChar)[0];
    }
}
