using System.Text.Json;
using Taba.Testing;
using Taba.Testing.Client;

namespace Taba.Client.Tests;

public sealed class BenchTests : IDisposable
{
    readonly CommandLine _taba = new();

    public void Dispose() => _taba.Dispose();

    /// <summary>Unconditional, of classes, of prompts.</summary>
    [Theory]
    [InlineData("models/adm/cifar32_tiny")]
    [InlineData("models/dit_tiny")]
    [InlineData("models/if_tiny")]
    public async Task Bench_EveryKindOfModel_TellsEachBatchAndTheBest(string model)
    {
        var path = model.Contains("adm", StringComparison.Ordinal) ? TinyModels.Adm(_taba.At("model.json")) : Fixtures.At(model);

        await _taba.DoneAsync("bench", path, "--batch_sizes", "1,3", "--seconds", "0.01", "--device", "cpu", "--json");

        var lines = _taba.Last.Output.Trim().Split('\n').Select(line => JsonDocument.Parse(line).RootElement).ToList();
        Assert.Equal(["batch", "batch", "best"], lines.Select(l => l.GetProperty("event").GetString()));
        Assert.Equal([1, 3], lines.Take(2).Select(l => l.GetProperty("batch_size").GetInt32()));
        Assert.All(lines.Take(2), l => Assert.Equal(
            l.GetProperty("batch_size").GetInt32() / l.GetProperty("seconds_per_pass").GetDouble(),
            l.GetProperty("evaluations_per_second").GetDouble(), 6));
        Assert.Equal(
            lines.Take(2).Max(l => l.GetProperty("evaluations_per_second").GetDouble()),
            lines[2].GetProperty("evaluations_per_second").GetDouble());
        Assert.Equal("float32", lines[2].GetProperty("dtype").GetString());
    }

    [Fact]
    public async Task Bench_WithoutBatchSizes_DoublesThemUntilThatGainsNothing()
    {
        await _taba.DoneAsync("bench", TinyModels.Gaussian(_taba.At("model.json")), "--seconds", "0.001", "--device", "cpu");

        var sizes = _taba.Last.Output.Trim().Split('\n')[2..^1].Select(line => line.Trim().Split(' ')[0]).ToList();
        Assert.True(sizes.Count >= 2, _taba.Last.Output);
        Assert.Equal(Enumerable.Range(0, sizes.Count).Select(i => $"{1 << i}"), sizes);
        Assert.Contains("Best: batch ", _taba.Last.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--batch_sizes has '0'", "--batch_sizes", "1,0")]
    [InlineData("--batch_sizes has ''", "--batch_sizes", "1,")]
    [InlineData("--seconds is 0", "--seconds", "0")]
    [InlineData("--sample_size is 0", "--sample_size", "0")]
    [InlineData("one device is measured at a time", "--device", "all", "--seconds", "1")]
    [InlineData("There is no model 'nosuch'", "nosuch")]
    public async Task Bench_BadInput_IsRefused(string expected, params string[] arguments) => Assert.Contains(
        expected, await _taba.RefuseAsync(["bench", .. arguments]), StringComparison.Ordinal);
}
