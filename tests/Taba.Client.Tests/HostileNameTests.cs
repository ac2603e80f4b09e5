using System.Text.Json.Nodes;
using Taba.Testing.Client;

namespace Taba.Client.Tests;

/// <summary>Names that others chose reach a terminal as text.</summary>
public sealed class HostileNameTests : IDisposable
{
    const string Name = "a\u001b[2J\nb\u202e";

    readonly CommandLine _taba = new();

    public void Dispose() => _taba.Dispose();

    [Fact]
    public async Task Refusal_WithAHostileName_IsOneHarmlessLine()
    {
        var sentence = await _taba.RefuseAsync("run", _taba.At($"{Name}.yaml"));
        Assert.Contains(@"a\u001b[2J\nb\u202e.yaml", sentence, StringComparison.Ordinal);
        Assert.DoesNotContain("\u001b", sentence, StringComparison.Ordinal);
        Assert.Contains(
            @"\u001b", await _taba.RefuseAsync("plan", _taba.Write("s.yaml", "\"\\e[31mmodel\": x")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Progress_OfASweepWithAHostileName_StaysInItsLines()
    {
        var run = _taba.At($"{Name}", "run");
        await _taba.DoneAsync(
            "sample", "gaussian", "--model", _taba.GaussianModel(), "--n_samples", "4", "--num_inference_steps", "10", "--save_dir", run);
        Assert.DoesNotContain("\u001b", _taba.Last.Errors, StringComparison.Ordinal);
        Assert.Contains(@"Writing ", _taba.Last.Errors, StringComparison.Ordinal);
        Assert.All(_taba.Last.Errors.Split('\n'), line => Assert.False(line.StartsWith('b'), line));
        // A program that reads the path gets the path.
        Assert.Contains(run, _taba.Last.Output, StringComparison.Ordinal);
        await _taba.DoneAsync("report", run, "--json");
        Assert.StartsWith(run, (string)JsonNode.Parse(_taba.Last.Output)!["report"]!, StringComparison.Ordinal);
    }

    [Fact]
    public void Output_ThatIsATerminal_ShowsCodes()
    {
        var output = new StringWriter();
        new Terminal(output, TextWriter.Null, false, TimeProvider.System, outputIsLive: true).Output.WriteLine(Name);
        Assert.Equal(@"a\u001b[2J\nb\u202e" + Environment.NewLine, output.ToString());
    }
}
