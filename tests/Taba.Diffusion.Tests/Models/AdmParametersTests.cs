using System.Text.Json;
using Taba.Diffusion.Models.Adm;
using Taba.Testing;

namespace Taba.Diffusion.Tests.Models;

/// <summary>The parameters of the published sizes, against lists made by the reference implementation.</summary>
public sealed class AdmParametersTests
{
    public static TheoryData<string> Manifests =>
        [.. Directory.EnumerateFiles(Fixtures.At("manifests"), "adm_*.json").Select(f => Path.GetFileName(f)).Order(
            StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Manifests))]
    public void Expected_PublishedArchitecture_NamesShapesAndOrderOfTheStateDict(string manifest)
    {
        using var document = JsonDocument.Parse(File.ReadAllText(Fixtures.At($"manifests/{manifest}")));
        var root = document.RootElement;
        var config = AdmConfig.Parse(root.GetProperty("config"), manifest);

        var expected = AdmParameters.Expected(config);

        Assert.Equal(
            root.GetProperty("state_dict").EnumerateObject().Select(
                p => $"{p.Name} {p.Value.GetRawText().Replace(" ", "", StringComparison.Ordinal)}"),
            expected.Select(p => $"{p.Key} [{string.Join(",", p.Value)}]"));
        Assert.Equal(root.GetProperty("n_params").GetInt64(), expected.Sum(p => p.Value.Aggregate(1L, (a, b) => a * b)));
    }

    [Theory]
    [InlineData("input_blocks.0.0.weight", true)]
    [InlineData("input_blocks.1.0.in_layers.2.bias", true)]
    [InlineData("output_blocks.3.0.skip_connection.weight", true)]
    [InlineData("middle_block.1.qkv.weight", true)]
    [InlineData("input_blocks.4.0.op.weight", true)]
    [InlineData("input_blocks.1.0.in_layers.0.weight", false)]
    [InlineData("middle_block.1.norm.bias", false)]
    [InlineData("output_blocks.3.0.emb_layers.1.weight", false)]
    [InlineData("time_embed.0.weight", false)]
    [InlineData("label_emb.weight", false)]
    [InlineData("out.2.weight", false)]
    public void IsTorso_Name_ConvolutionsBetweenTheEndsOnly(string name, bool torso) =>
        Assert.Equal(torso, AdmParameters.IsTorso(name));
}
