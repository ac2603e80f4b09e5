using Taba.Storage.Manifests;
using Taba.Storage.Objects;
using Taba.Testing;
using Taba.Testing.Clusters;
using Taba.Testing.Commands;
using Taba.Testing.Servers;

namespace Taba.Cluster.Tests;

/// <summary>An older silo beside a newer one, as while a cluster is upgraded: neither computes what has the other's numbers.</summary>
public sealed class VersionTests
{
    const string Sweep = """
        name: versions
        model: gaussian.json
        samples: 20000
        num_inference_steps: 20
        stages: [sample, invert]
        """;

    const string Few = "samples=96";

    [Fact]
    public async Task Cluster_OfTwoNumericsVersions_ComputesEitherWhereItIsAndSaysWhoCannot()
    {
        Required.Here(PostgresServer.Missing);
        using var newer = new NewerPrograms();
        await using var bench = await ClusterBench.OnPostgresAsync(Sweep);
        bench.Cluster.SiloProgram = name => name == "new" ? newer.Silo : Programs.Silo;
        await bench.Cluster.StartSiloAsync("old");
        bench.Cluster.ClientProgram = newer.Taba;

        // Before there is a newer silo nobody takes what a newer client plans.
        var refused = await bench.Start("run", bench.Sweep, "--detach").EndAsync(ClusterBench.Limit);
        Assert.NotEqual(0, refused.Status);
        Assert.Contains($"made by Taba {NewerPrograms.Version.Build}, numerics {NewerPrograms.Version.Numerics}", refused.Errors,
            StringComparison.Ordinal);

        await bench.Cluster.StartSiloAsync("new");
        var silos = await bench.DoneAsync("status");
        Assert.Contains($"{ProgramVersion.Own.Build}, numerics {ProgramVersion.Own.Numerics} on old", silos, StringComparison.Ordinal);
        Assert.Contains(
            $"{NewerPrograms.Version.Build}, numerics {NewerPrograms.Version.Numerics} on new", silos, StringComparison.Ordinal);
        Assert.Contains("different versions", await bench.DoneAsync("doctor"), StringComparison.Ordinal);

        // Both at once, from the same file: two sweeps, for their keys differ.
        var ofOld = (await bench.DoneAsync("run", bench.Sweep, "--detach")).Trim();
        var ofNew = (await bench.Cluster.RunClientAsync(
            ClusterBench.Limit, "run", bench.Sweep, "--detach", "--cluster", TestCluster.Name)).Trim();
        Assert.NotEqual(ofOld, ofNew);
        await SaysAsync(bench, ofOld, $"silo new does not work on it: it runs {NewerPrograms.Version}");
        await SaysAsync(bench, ofNew, $"silo old does not work on it: it runs {ProgramVersion.Own}");
        await bench.DoneAsync("cancel", ofOld);
        await bench.DoneAsync("cancel", ofNew);

        // To the end, and each row by whom it should be.
        await bench.DoneAsync("run", bench.Sweep, Few, "--out", bench.At("old-out"));
        await bench.Cluster.RunClientAsync(
            ClusterBench.Limit, "run", bench.Sweep, Few, "--out", bench.At("new-out"), "--cluster", TestCluster.Name);
        var parts = await PublishedAsync(bench);
        Assert.Equal(4, parts.Select(p => p.StageKey).Distinct().Count());
        foreach (var stage in parts.GroupBy(p => p.StageKey))
        {
            Assert.Single(stage.Select(p => p.Silo).Distinct());
            Assert.Contains(
                (stage.First().Silo, stage.First().Build, stage.First().Numerics),
                new[] { Made("old", ProgramVersion.Own), Made("new", NewerPrograms.Version) });
        }
        Assert.Equal(2, parts.GroupBy(p => p.StageKey).Count(stage => stage.First().Silo == "new"));

        // The last older silo leaves: what an older client planned waits, and says for what.
        bench.Cluster.Silos["old"].Terminate();
        await bench.Cluster.Silos["old"].EndAsync(ClusterBench.Limit);
        var late = (await bench.RunAsync("run", bench.Sweep, "seed=7", "--detach")).ShouldEnd(2);
        Assert.Contains("use a client of the cluster's version", late.Errors, StringComparison.Ordinal);
    }

    static (string?, string?, int?) Made(string silo, ProgramVersion version) => (silo, version.Build, version.Numerics);

    static async Task SaysAsync(ClusterBench bench, string sweep, string sentence)
    {
        using var limit = new CancellationTokenSource(ClusterBench.Limit);
        while (!(await bench.DoneAsync("status", sweep)).Contains(sentence, StringComparison.Ordinal))
            await Task.Delay(200, limit.Token);
    }

    static async Task<IReadOnlyList<PartManifest>> PublishedAsync(ClusterBench bench)
    {
        var store = new TensorStore(new FolderObjects(bench.Cluster.StoreFolder), mends: false);
        var parts = new List<PartManifest>();
        await foreach (var key in store.StageKeysAsync(CancellationToken.None))
            parts.AddRange(await store.ListAsync(key, CancellationToken.None));
        return parts;
    }
}
