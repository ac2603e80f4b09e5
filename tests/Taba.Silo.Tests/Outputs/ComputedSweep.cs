using Taba.Grains.Stages;
using Taba.Grains.Sweeps;
using Taba.Silo.Devices;
using Taba.Silo.Hosting;
using Taba.Silo.Tests.Hosting;
using Taba.Storage.Manifests;
using Taba.Storage.Objects;
using Taba.Testing.Stores;

namespace Taba.Silo.Tests.Outputs;

/// <summary>A sweep that was computed into a folder, for tests of what becomes of its parts.</summary>
public sealed class ComputedSweep : IAsyncLifetime
{
    readonly TestFolder _folder = new();

    public SweepPlan Plan { get; private set; } = null!;

    /// <summary>A plan of the same runs with other numbers.</summary>
    public SweepPlan OtherPlan { get; private set; } = null!;

    public TensorStore Store { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        var spec = new SweepSpec
        {
            Name = "gaussian",
            Models = [GaussianModel.Write(_folder.Path)],
            Samples = 70,
            Seeds = [420],
            NumInferenceSteps = [10],
            WithInversion = true,
            Internal = InternalSelection.All,
            Interventions = [new(InterventionKind.Forward, 3, 999)],
        };
        Plan = EmbeddedSiloTests.Plan(spec);
        OtherPlan = EmbeddedSiloTests.Plan(spec with { Seeds = [421] });
        await using (var silo = await EmbeddedSilo.StartAsync(
            new EmbeddedSiloOptions { StoreRoot = _folder["store"], Devices = SiloDevices.Resolve("cpu"), Command = "test" },
            CancellationToken.None))
        {
            Assert.Equal(SweepState.Completed, (await EmbeddedSiloTests.RunAsync(silo, Plan)).State);
        }
        Store = new TensorStore(new FolderObjects(_folder["store"]));
    }

    public ValueTask DisposeAsync()
    {
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>The same parts in a container, and nowhere else.</summary>
    public async Task<TensorStore> CopyAsync(BlobObjects container)
    {
        var store = new TensorStore(container);
        foreach (var stage in Plan.Stages)
        {
            foreach (var manifest in await Store.ListAsync(stage.Key, CancellationToken.None))
            {
                PartAttempt attempt = new(manifest.StageKey, manifest.RowStart, manifest.Epoch, manifest.Attempt);
                foreach (var entry in manifest.Objects)
                {
                    File.Copy(Store.LocalPath(entry.Path)!, store.ScratchPath(attempt, entry.Name));
                    Assert.Equal(entry.Path, await store.PutAsync(attempt, entry.Name, CancellationToken.None));
                }
                Assert.True(await store.PublishAsync(manifest, CancellationToken.None));
            }
        }
        return store;
    }
}
