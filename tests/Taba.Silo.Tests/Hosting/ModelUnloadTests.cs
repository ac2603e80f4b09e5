using Taba.Grains.Sweeps;
using Taba.Silo.Devices;
using Taba.Silo.Hosting;

namespace Taba.Silo.Tests.Hosting;

/// <summary>No more models stay loaded than the settings allow.</summary>
public sealed class ModelUnloadTests : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("taba-unload-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("1", 3)]
    [InlineData("2", 2)]
    public async Task Submit_ModelsInTurn_LoadsAgainOnlyWhatDidNotStay(string maxModels, int loads)
    {
        await using var silo = await StartAsync(maxModels);
        foreach (var plan in new[] { Plan(1, 0.5), Plan(1, 0.25), Plan(2, 0.5) })
            Assert.Equal(SweepState.Completed, (await EmbeddedSiloTests.RunAsync(silo, plan)).State);

        Assert.Equal(loads, silo.EngineStatistics.Count);
        // What an engine did is not forgotten with it.
        Assert.Equal(3 * 8 * 5, silo.EngineStatistics.Sum(s => s.Evaluations));
    }

    [Fact]
    public async Task Submit_OneSweepOfMoreModelsThanStayLoaded_Ends()
    {
        await using var silo = await StartAsync("1");

        var status = await EmbeddedSiloTests.RunAsync(silo, Plan(1, 0.5, 0.25, 0.125));

        Assert.Equal(SweepState.Completed, status.State);
        Assert.Equal(3 * 8 * 5, silo.EngineStatistics.Sum(s => s.Evaluations));
    }

    [Fact]
    public async Task StartAsync_NoModelsAtAll_IsRefusedByName()
    {
        var refused = await Assert.ThrowsAsync<BadInputException>(() => StartAsync("0"));
        Assert.Contains("MaxModels", refused.Message, StringComparison.Ordinal);
    }

    SweepPlan Plan(int seed, params double[] deviations) => EmbeddedSiloTests.Plan(new SweepSpec
    {
        Name = "several",
        Models =
            [.. deviations.Select(d => GaussianModel.Write(Directory.CreateDirectory(Path.Combine(_folder, $"model-{d}")).FullName, d))],
        Samples = 8,
        Seeds = [seed],
        NumInferenceSteps = [5],
    });

    Task<EmbeddedSilo> StartAsync(string maxModels) => EmbeddedSilo.StartAsync(
        new EmbeddedSiloOptions
        {
            StoreRoot = Path.Combine(_folder, ".taba"),
            Devices = SiloDevices.Resolve("cpu"),
            Command = "test",
            Settings = [KeyValuePair.Create("Taba:Engine:MaxModels", (string?)maxModels)],
        },
        CancellationToken.None);
}
