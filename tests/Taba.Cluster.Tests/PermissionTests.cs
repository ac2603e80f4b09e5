using System.Runtime.Versioning;
using Taba.Testing;
using Taba.Testing.Clusters;
using Taba.Testing.Commands;
using Taba.Testing.Servers;

namespace Taba.Cluster.Tests;

/// <summary>Who may read and write what the programs create, under the most careless umask and under a strict one.</summary>
[SupportedOSPlatform("linux")]
public sealed class PermissionTests
{
    const UnixFileMode Everybody = UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;
    const UnixFileMode Group = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute;

    [Theory]
    [InlineData("000", UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead)]
    [InlineData("027", UnixFileMode.GroupRead)]
    public async Task EmbeddedRun_WhatItCreates_IsWrittenByNobodyElseAndItsStateReadByNobody(string umask, UnixFileMode ofResults)
    {
        using var folder = new TempFolder();
        TinyModels.Gaussian(folder.At("gaussian.json"));
        folder.Write("sweep.yaml", ClusterBench.Smooth(2));
        using var run = ProgramProcess.Start(
            "taba", Programs.Taba, folder.Path, [KeyValuePair.Create("TMPDIR", Temporary(folder))], ["run", "sweep.yaml", "--out", "out"],
            Under(umask));
        (await run.EndAsync(ClusterBench.Limit)).ShouldEnd(0);

        Offending(folder.At("out"), UnixFileMode.OtherWrite);
        Offending(folder.At("tmp"), Everybody | Group);
        var state = Directory.GetFiles(folder.At("out"), "grains.db*", SearchOption.AllDirectories);
        Assert.NotEmpty(state);
        Assert.All(state, f => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(f)));
        var results = Directory.GetFiles(folder.At("out"), "*.safetensors", SearchOption.AllDirectories);
        Assert.NotEmpty(results);
        Assert.All(results, f => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | ofResults, File.GetUnixFileMode(f)));
    }

    [Fact]
    public async Task Silo_WhatItCreates_IsWrittenByNobodyElse()
    {
        Required.Here(RedisServer.Missing);
        await using var bench = await ClusterBench.OnRedisAsync(ClusterBench.Smooth(40));
        bench.Cluster.Place = _ => ("127.0.0.1", Under("000"));
        bench.Cluster.Settings["Taba__Engine__CheckpointEverySteps"] = "2";
        await bench.Cluster.StartSiloAsync("w1");
        (await bench.Start("run", "sweep.yaml", "--out", "out").EndAsync(ClusterBench.Limit)).ShouldEnd(0);

        Offending(bench.Cluster.StoreFolder, UnixFileMode.OtherWrite);
        Offending(bench.At("out"), UnixFileMode.OtherWrite);
        // What a group may do is the umask's to say: silos of several users share a store so.
        Assert.All(
            Directory.GetDirectories(bench.Cluster.StoreFolder),
            f => Assert.True(File.GetUnixFileMode(f).HasFlag(UnixFileMode.GroupWrite), f));
    }

    static string Temporary(TempFolder folder) => Directory.CreateDirectory(folder.At("tmp")).FullName;

    static string[] Under(string umask) => ["sh", "-c", $"umask {umask}; exec \"$@\"", "sh"];

    static void Offending(string folder, UnixFileMode forbidden)
    {
        var all = Directory.GetFileSystemEntries(folder, "*", SearchOption.AllDirectories);
        Assert.Empty(all.Where(f => File.ResolveLinkTarget(f, false) is null && (File.GetUnixFileMode(f) & forbidden) != 0)
            .Select(f => $"{f} {File.GetUnixFileMode(f)}"));
    }
}
