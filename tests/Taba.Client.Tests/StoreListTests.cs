using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Taba.Testing.Client;

namespace Taba.Client.Tests;

/// <summary><c>taba store ls</c> says what stages are as the rest of the command does, and who uses them.</summary>
public sealed class StoreListTests : IDisposable
{
    readonly CommandLine _taba = new();

    public void Dispose() => _taba.Dispose();

    [Fact]
    public async Task Ls_OfASweep_NamesStagesAndTheirRuns()
    {
        var sweep = _taba.Write(
            "s.yaml",
            $"model: {_taba.GaussianModel()}\nsamples: 16\nseed: 42\nnum_inference_steps: 10\nstages: [sample, invert, reconstruct]\n"
            + "interventions: [{ forward: { before: 1, seed: 7 } }]");
        await _taba.DoneAsync("run", sweep, "--out", _taba.At("out"));
        await _taba.DoneAsync("store", "ls", "--out", _taba.At("out"));
        var lines = _taba.Last.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(6, lines.Length);
        Assert.Single(lines, l => Regex.IsMatch(
            l, @"^reconstruct T=10 forward K=1 +16 rows +[\d.]+ KiB  used by s/g_T10_seed42_forward_before1_seed7  [0-9a-f]{8}$"));
        Assert.Single(lines, l => Regex.IsMatch(
            l, @"^sample T=10 +16 rows +[\d.]+ KiB  used by s/g_T10_seed42\S* and 1 more +[0-9a-f]{8}$"));
        Assert.All(lines, l => Assert.InRange(l.Length, 1, 120));

        // What is shown of a key is enough for the commands that take one.
        await _taba.DoneAsync("store", "verify", "--out", _taba.At("out"), "--stage", lines[0].Split(' ')[^1]);
        Assert.Contains("1 stages read", _taba.Last.Output, StringComparison.Ordinal);
        Assert.Contains("has no stage 'xyz'", await _taba.RefuseAsync(
            "store", "verify", "--out", _taba.At("out"), "--stage", "xyz"), StringComparison.Ordinal);

        await _taba.DoneAsync("store", "ls", "--out", _taba.At("out"), "--json");
        var stages = _taba.Last.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => JsonNode.Parse(l)!).ToList();
        var inversion = stages.Single(s => (string)s["name"]! == "invert T=10 forward K=1");
        Assert.Equal((10, 1, 42), ((int)inversion["num_inference_steps"]!, (int)inversion["before"]!, (int)inversion["seed"]!));
        Assert.Contains("from stage", (string)inversion["description"]!, StringComparison.Ordinal);
    }
}
