namespace Taba.Client.Tests;

/// <summary>Hints can be typed as they are printed.</summary>
public sealed class StartedCommandTests
{
    static readonly string[] s_args = ["run", "my sweep.yaml", "--out", "it's"];

    [Theory]
    [InlineData("taba", "", "taba")]
    [InlineData("/opt/taba/taba", "", "/opt/taba/taba")]
    [InlineData("./a b/taba", "", "'./a b/taba'")]
    [InlineData("dotnet|x/taba.dll", "bash", "dotnet x/taba.dll")]
    [InlineData("/w/bin/taba", "dotnet|run|-c|Release|--project|src/Taba.Client|--", "dotnet run -c Release --project src/Taba.Client --")]
    [InlineData("/w/bin/taba", "dotnet|run|--project|src/Taba.Client", "dotnet run --project src/Taba.Client --")]
    public void Line_IsWhatWasTyped(string own, string parent, string expected)
    {
        var command = StartedCommand.Of(s_args, [.. own.Split('|'), .. s_args], parent == "" ? [] : [.. parent.Split('|'), .. s_args]);
        Assert.Equal($@"{expected} run 'my sweep.yaml' --out 'it'\''s'", command.Line(s_args));
        Assert.Equal($"See '{expected} models list'.", command.InHints("See 'taba models list'.", prefix => prefix));
    }

    [Fact]
    public void Of_AParentThatStartedSomethingElse_IsNotTaken() =>
        Assert.Equal(
            "taba run x",
            StartedCommand.Of(["run", "x"], ["taba", "run", "x"], ["dotnet", "run", "--", "run", "y"]).Line(["run", "x"]));

    [Theory]
    [InlineData("taba run x; taba --help, `taba store ls`", "T run x; T --help, `T store ls`")]
    [InlineData("a fault of taba itself, out/taba runs, mytaba run", "a fault of taba itself, out/taba runs, mytaba run")]
    public void InHints_OnlyCommands_AreReplaced(string text, string expected) =>
        Assert.Equal(expected, StartedCommand.Of([], ["T"], []).InHints(text, prefix => prefix));

    [Fact]
    public void Terminal_LineOfJson_StaysJson()
    {
        var error = new StringWriter();
        var terminal = new Terminal(TextWriter.Null, error, false, TimeProvider.System, StartedCommand.Of([], [@"/a b\c/taba"], []));
        (terminal with { Json = true }).Complain(ExitStatus.BadInput, "See taba run --help.");
        using var line = System.Text.Json.JsonDocument.Parse(error.ToString());
        Assert.Equal(@"See '/a b\c/taba' run --help.", line.RootElement.GetProperty("message").GetString());
    }

    [Fact]
    public void OfProcess_HereAndNow_EndsWithItsArguments() =>
        Assert.EndsWith(" models list", StartedCommand.OfProcess([]).Line(["models", "list"]), StringComparison.Ordinal);
}
