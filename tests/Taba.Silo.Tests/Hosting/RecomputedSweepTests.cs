using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Taba.Grains.Sweeps;
using Taba.Silo.Devices;
using Taba.Silo.Hosting;
using Taba.Storage.Manifests;
using Taba.Testing;

namespace Taba.Silo.Tests.Hosting;

/// <summary>A sweep whose published parts are computed once more, in a whole silo.</summary>
public sealed class RecomputedSweepTests : IDisposable
{
    readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Submit_EachPartIsToBeVerified_SomeAreComputedTwiceAndAreEqual()
    {
        var outcomes = new ConcurrentQueue<string>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, l) =>
            {
                if (instrument.Name == "taba.part.compared")
                    l.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<long>((_, _, tags, _) =>
        {
            // Tests of publication beside this one have sampling stages only.
            var said = tags.ToArray().ToDictionary(t => t.Key, t => (string?)t.Value);
            if (said["taba.stage.kind"] is not "sample")
                outcomes.Enqueue(said["taba.outcome"]!);
        });
        listener.Start();
        var plan = EmbeddedSiloTests.Plan(new SweepSpec
        {
            Name = "verified",
            Models = [GaussianModel.Write(_folder.Path)],
            Samples = 128,
            Seeds = [420],
            NumInferenceSteps = [10],
            WithInversion = true,
            WithReconstruction = true,
            Deterministic = true,
        });
        await using var silo = await EmbeddedSilo.StartAsync(
            new EmbeddedSiloOptions
            {
                StoreRoot = Path.Combine(_folder.Path, ".taba"),
                Devices = SiloDevices.Resolve("cpu"),
                Command = "test",
                Settings = [new("Taba:Verify:OneIn", "1")],
            },
            CancellationToken.None);

        var status = await EmbeddedSiloTests.RunAsync(silo, plan);

        Assert.Equal(SweepState.Completed, status.State);
        Assert.All(status.Stages, s => Assert.Equal((128, 0), (s.RowsDone, s.RowsFailed)));
        Assert.NotEmpty(outcomes);
        Assert.All(outcomes, outcome => Assert.Equal("equal", outcome));
        // Computed, and not only looked at.
        Assert.True(silo.EvaluationsEver > plan.Evaluations);
        Assert.Empty(await silo.Store.DisagreementsAsync(null, CancellationToken.None).ToListAsync(TestContext.Current.CancellationToken));
        foreach (var stage in plan.Stages)
            Assert.Equal(128, (await silo.Store.ListAsync(stage.Key, CancellationToken.None)).Sum(m => m.Rows.Count));
    }
}
