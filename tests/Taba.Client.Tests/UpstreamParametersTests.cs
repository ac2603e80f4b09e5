using System.Text.Json.Nodes;
using Taba.Client.Commands;
using Taba.Silo.Outputs;
using Taba.Testing;

namespace Taba.Client.Tests;

/// <summary><c>_params</c> of metrics.json: what upstream's scripts wrote when they were run with the same flags.</summary>
public sealed class UpstreamParametersTests
{
    public static TheoryData<string> Runs() => [.. Fixtures.Cases("e2e", "metrics.json")];

    [Theory]
    [MemberData(nameof(Runs))]
    public void Of_UpstreamsRun_HasItsKeysAndValues(string run)
    {
        var folder = Fixtures.At(run);
        var made = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "case.json")))!;
        var expected = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "metrics.json")))!["_params"]!.AsObject();
        var saveDir = (expected["save_dir"] ?? expected["output_dir"])?.GetValue<string>() ?? "out";
        var (family, script) = Script(made["script"]!.GetValue<string>());
        string[] args = [.. made["cli"]!.AsObject().SelectMany(flag => new[] { $"--{flag.Key}", $"{flag.Value}" }), "--save_dir", saveDir];

        var actual = FamilyCommandLine.Spec(family, script, args).Parameters!;

        Assert.NotEmpty(expected);
        foreach (var (name, value) in expected)
        {
            Assert.True(actual.TryGetValue(name, out var text), $"{name} is missing");
            // Counted when the folder is written.
            if (name != "n_samples" || script == UpstreamScript.Sample)
                Assert.Equal(Plain(value), Plain(ParameterText.Read(text)));
        }
    }

    [Fact]
    public void Runs_InTheFixtures_AreOfEveryFamily() =>
        Assert.Equal(
            ["adm", "dit", "if", "ldm"], Runs().Select(r => r.Data.Split('/')[1].Split('_')[0]).Distinct().Order(StringComparer.Ordinal));

    [Theory]
    [InlineData("null")]
    [InlineData("true")]
    [InlineData("420")]
    [InlineData("1e5")]
    [InlineData("nan")]
    [InlineData("\"quoted\"")]
    [InlineData("\"")]
    [InlineData("out/run")]
    [InlineData("")]
    public void OfText_AnyText_IsReadBackAsText(string text) =>
        Assert.Equal(text, ParameterText.Read(ParameterText.Of(text))!.GetValue<string>());

    [Fact]
    public void Read_Literals_AreThemselves()
    {
        Assert.Null(ParameterText.Read("null"));
        Assert.True(ParameterText.Read("true")!.GetValue<bool>());
        Assert.Equal(420, ParameterText.Read("420")!.GetValue<long>());
        Assert.Equal(7.5, ParameterText.Read("7.5")!.GetValue<double>());
    }

    static string Plain(JsonNode? value) => value switch
    {
        null => "null",
        JsonValue number when number.GetValueKind() == System.Text.Json.JsonValueKind.Number => $"{double.Parse(number.ToJsonString())}",
        _ => value.ToJsonString(),
    };

    static (string Family, UpstreamScript Script) Script(string path)
    {
        var words = Path.GetFileNameWithoutExtension(path).Split('_');
        return (words[1], words[^1] switch
        {
            "sampling" => UpstreamScript.Sample,
            "swap" => UpstreamScript.Swap,
            "forward" => UpstreamScript.Forward,
            var other => throw new InvalidDataException($"{path} is of no known kind: {other}."),
        });
    }
}
