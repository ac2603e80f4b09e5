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
    public async Task Object_OneByteFlipped_IsMadeVoidAndComputedAgainWhenTheRunIsAssembled()
    {
        Damage(FlipOneByte);
        Directory.Delete(Sweep, recursive: true);

        var mended = (await RunSweepAsync()).ShouldEnd(0);

        Assert.Contains("does not have the digest", mended.Errors, StringComparison.Ordinal);
        Assert.Equal(_digests, SweepFiles.Digests(Out));
    }

    [Fact]
    public async Task Object_OneByteFlippedAndLinked_IsMadeVoidAndComputedAgain()
    {
        // Rows 0 to 31 are one part: the file of a run of just these is a link to its object, which nobody reads on the way.
        string[] run = ["run", SweepFile, "samples=32", "metrics=none", "--out", Out];
        Directory.Delete(Sweep, recursive: true);
        (await _taba.RunAsync(run)).ShouldEnd(0);
        var samples = Directory.EnumerateFiles(Sweep, "samples.safetensors", SearchOption.AllDirectories).Single();
        var before = File.ReadAllBytes(samples);
        Damage(FlipOneByte);
        Directory.Delete(Sweep, recursive: true);

        (await _taba.RunAsync(run)).ShouldEnd(0);

        Assert.Equal(before, File.ReadAllBytes(samples));
    }

    [Theory]
    [InlineData("flipped")]
    [InlineData("short")]
    [InlineData("gone")]
    public async Task Object_Damaged_IsMadeVoidAndComputedAgainWhenItIsAnInput(string how)
    {
        Damage(how switch
        {
            "flipped" => FlipOneByte,
            "short" => file => File.WriteAllBytes(file, File.ReadAllBytes(file)[..^10]),
            _ => File.Delete,
        });

        (await _taba.RunAsync("run", SweepFile, "stages=[sample,invert]", "--out", Out)).ShouldEnd(0);

        // Only the part's own run folder shows it: the one of before is as it was.
        (await _taba.RunAsync("store", "verify", "--out", Out)).ShouldEnd(0);
        Assert.Empty(StoreManifests.Faults(Store));
    }

    [Fact]
    public async Task Cell_Garbage_IsNamedAndItsRowsAreComputedAgain()
    {
        var cell = StoreManifests.Versions(Store)[0];
        File.WriteAllText(cell, "{ \"schema\": ");
        var named = (await _taba.RunAsync("store", "verify", "--out", Out)).ShouldEnd(1);
        Assert.Contains(cell, named.Output, StringComparison.Ordinal);
        Directory.Delete(Sweep, recursive: true);

        (await RunSweepAsync()).ShouldEnd(0);

        Assert.Equal(_digests, SweepFiles.Digests(Out));
        (await _taba.RunAsync("store", "verify", "--out", Out)).ShouldEnd(0);
    }

    [Fact]
    public async Task Store_OfTheOlderLayout_IsRefusedWithASentenceAndLeftAlone()
    {
        Directory.CreateDirectory(Path.Combine(Out, "old", ".taba", "store", "0123456789abcdef"));

        var refused = (await _taba.RunAsync("run", SweepFile, "--out", Path.Combine(Out, "old"))).ShouldEnd(2);

        Assert.Contains("layout of an older Taba", refused.LastWord, StringComparison.Ordinal);
        Assert.Equal(["store"], Directory.EnumerateFileSystemEntries(Path.Combine(Out, "old", ".taba")).Select(Path.GetFileName));
    }

    Task<CommandResult> RunSweepAsync() => _taba.RunAsync("run", SweepFile, "--out", Out);

    /// <summary>Damages the first object of the store.</summary>
    void Damage(Action<string> damage) => damage(StoreManifests.Objects(Store).Order(StringComparer.Ordinal).First());

    static void FlipOneByte(string file)
    {
        var bytes = File.ReadAllBytes(file);
        bytes[^100] ^= 1;
        // A run folder may share the file: the damage is the store's alone.
        File.Delete(file);
        File.WriteAllBytes(file, bytes);
    }
}
