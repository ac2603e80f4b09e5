namespace Taba.Chart.Tests;

/// <summary>What changes in the manifests is seen in a review. TABA_UPDATE_GOLDEN=1 writes the files anew.</summary>
[Trait(Needs.Trait, Needs.Process)]
public sealed class GoldenTests
{
    public static TheoryData<string> CiNames => [.. ChartFiles.CiNames];

    [Theory]
    [MemberData(nameof(CiNames))]
    public async Task Chart_ValuesOfCi_RenderAsBefore(string name)
    {
        using var chart = new SampleChart();
        var rendered = await RenderedChart.TextAsync(name, chart.Path);
        var golden = ChartFiles.At($"tests/Taba.Chart.Tests/Golden/{name}.yaml");
        if (Environment.GetEnvironmentVariable("TABA_UPDATE_GOLDEN") == "1")
            await File.WriteAllTextAsync(golden, rendered);
        Assert.True(File.Exists(golden), $"{golden} is not there: TABA_UPDATE_GOLDEN=1 writes it.");
        Assert.Equal(await File.ReadAllTextAsync(golden), rendered);
    }

    [Fact]
    public void Golden_Files_AreThoseOfCi() => Assert.Equal(
        ChartFiles.CiNames,
        Directory.GetFiles(ChartFiles.At("tests/Taba.Chart.Tests/Golden")).Select(f => Path.GetFileNameWithoutExtension(f)!)
            .Order(StringComparer.Ordinal));
}
