using System.Text.Json.Nodes;
using Taba.Testing.Client;
using Taba.Testing.Commands;

namespace Taba.Client.Tests;

/// <summary>With --json every line is JSON, errors among them, and is spelled one way.</summary>
public sealed class JsonWordsTests : IDisposable
{
    readonly CommandLine _taba = new();

    public void Dispose() => _taba.Dispose();

    [Theory]
    [InlineData("run", "nosuch.yaml", "--json")]
    [InlineData("run", "--json", "--nosuch")]
    [InlineData("sample", "admm", "--json")]
    [InlineData("models", "check", "nosuch", "--json")]
    [InlineData("store", "ls", "--out", "nosuch", "--json")]
    [InlineData("list", "--cluster", "nosuch", "--json=true")]
    [InlineData("report", "nosuch", "--json", "true")]
    public async Task Errors_WithJson_AreOneLineOfJson(params string[] args)
    {
        var refused = (await _taba.RunAsync(args)).ShouldEnd(ExitStatus.BadInput);
        var error = JsonNode.Parse(Assert.Single(Lines(refused.Errors)))!;
        Assert.Equal(("error", ExitStatus.BadInput), ((string)error["event"]!, (int)error["exit_status"]!));
        Assert.EndsWith(".", ((string)error["message"]!).TrimEnd('?', '.') + ".", StringComparison.Ordinal);
    }

    [Fact]
    public async Task Errors_WithoutJson_AreSentences() =>
        Assert.StartsWith("There is no", (await _taba.RunAsync("report", "nosuch", "--json", "false")).Errors, StringComparison.Ordinal);

    [Fact]
    public async Task Run_WithJson_HasNoLineOfAnotherKindAndNoNameInCapitals()
    {
        var sweep = _taba.Write(
            "s.yaml",
            $"model: {_taba.GaussianModel()}\nsamples: 4\nseed: 42\nnum_inference_steps: 10\nstages: [sample, invert, reconstruct]\n"
            + "interventions: [{ forward: { before: 3, seed: 42 } }]");
        var run = await _taba.DoneAsync("run", sweep, "--out", _taba.At("out"), "--json");
        var plan = await _taba.DoneAsync("plan", sweep, "--out", _taba.At("out"), "--json");
        var lines = new[] { run, plan }.SelectMany(r => Lines(r.Errors + r.Output)).Select(l => JsonNode.Parse(l)!).ToList();
        Assert.All(lines.SelectMany(Keys), key => Assert.Matches("^[a-z0-9_.]+$", key));
        Assert.Contains(lines, l => (string?)l["event"] == "note" && ((string)l["message"]!).Contains(
            "forward_seed is 42, the seed of the samples", StringComparison.Ordinal));
        Assert.All(lines.Select(l => l["state"]).OfType<JsonNode>(), s => Assert.Matches("^[a-z ]+$", (string)s!));

        var progress = lines.First(l => (string?)l["event"] == "progress");
        foreach (var stages in new[] { progress["stages"]!, JsonNode.Parse(plan.Output)!["stages"]! })
        {
            var replaced = stages.AsArray().Single(s => (string)s!["name"]! == "reconstruct T=10 forward K=3")!;
            Assert.Equal(
                (10, 3, 42), ((int)replaced["num_inference_steps"]!, (int)replaced["before"]!, (int)replaced["seed"]!));
        }
        Assert.Equal("float32", (string)JsonNode.Parse(plan.Output)!["stages"]![0]!["precision"]!["network"]!);
    }

    static string[] Lines(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    static IEnumerable<string> Keys(JsonNode? node) => node switch
    {
        // Metrics are named by others.
        JsonObject o => o.SelectMany(p => Keys(p.Value).Prepend(p.Key)),
        JsonArray a => a.SelectMany(Keys),
        _ => [],
    };
}
