using System.Text.Json;
using Taba.Storage.Manifests;
using Taba.Storage.Objects;
using Taba.Testing.Client;

namespace Taba.Client.Tests;

/// <summary>What <c>taba store verify</c> says of rows of which other bytes were computed too.</summary>
public sealed class StoreVerifyTests : IDisposable
{
    readonly CommandLine _taba = new();

    public void Dispose() => _taba.Dispose();

    [Fact]
    public async Task Verify_RowsOfWhichTwoHostsMadeDifferentBytes_AreNamedWithBothHosts()
    {
        var sweep = _taba.Write("sweep.yaml", $"""
            name: tiny
            model: {_taba.GaussianModel()}
            samples: 8
            num_inference_steps: 10
            deterministic: true
            stages: [sample]
            """);
        await _taba.DoneAsync("run", sweep, "--out", _taba.At("out"));
        await _taba.DoneAsync("store", "verify", "--out", _taba.At("out"));

        var store = new TensorStore(new FolderObjects(_taba.At("out", ".taba")));
        var key = await store.StageKeysAsync(CancellationToken.None).SingleAsync(TestContext.Current.CancellationToken);
        var published = (await store.ListAsync(key, CancellationToken.None)).Single();
        Assert.Equal(
            (Environment.MachineName, ProgramVersion.Own.Build, ProgramVersion.Own.Numerics),
            (published.Host, published.Build, published.Numerics));
        await store.DisagreeAsync(
            published, published with { Attempt = Guid.NewGuid(), Silo = "w2", Host = "node-7", Device = "cuda:3" }, ["samples"],
            CancellationToken.None);

        var said = (await _taba.RunAsync("store", "verify", "--out", _taba.At("out"))).ShouldEnd(1).Output;
        Assert.Contains($"rows {published.Rows} of stage {key} (samples) were computed twice", said, StringComparison.Ordinal);
        Assert.Contains($"on {Environment.MachineName} (cpu", said, StringComparison.Ordinal);
        Assert.Contains("silo w2 on node-7 (cuda:3", said, StringComparison.Ordinal);
        Assert.Contains("1 doubtful", said, StringComparison.Ordinal);

        var line = JsonDocument.Parse(
            (await _taba.RunAsync("store", "verify", "--out", _taba.At("out"), "--json")).ShouldEnd(1).Output).RootElement;
        Assert.Equal("node-7", line.GetProperty("other").GetProperty("host").GetString());
        Assert.Equal(Environment.MachineName, line.GetProperty("published").GetProperty("host").GetString());
    }
}
