using Taba.Storage.RunFolders;
using Taba.Diffusion.Tensors;
using Taba.Grains.Planning;
using Taba.Grains.Sweeps;
using Taba.Silo.Devices;
using Taba.Silo.Hosting;
using Taba.Silo.Inputs;
using Taba.Silo.Models;
using Taba.Silo.Outputs;

namespace Taba.Silo.Tests.Hosting;

public sealed class EmbeddedSiloTests : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("taba-embedded-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Submit_SweepWithInterventions_PublishesEveryRowOnce()
    {
        var plan = Plan(Spec(samples: 100));

        await using var silo = await StartAsync();
        var status = await RunAsync(silo, plan);

        Assert.Equal(SweepState.Completed, status.State);
        Assert.All(status.Stages, s => Assert.Equal(100, s.RowsDone));
        Assert.Equal(plan.Evaluations, silo.EvaluationsEver);
    }

    [Fact]
    public async Task Submit_AfterRestart_ComputesNothingAgain()
    {
        var plan = Plan(Spec(samples: 40));
        await using (var silo = await StartAsync())
            await RunAsync(silo, plan);

        await using var again = await StartAsync();
        var status = await RunAsync(again, plan);

        Assert.Equal(SweepState.Completed, status.State);
        Assert.Equal(plan.Evaluations, again.EvaluationsEver);
        Assert.All(status.Stages, s => Assert.Equal(40, s.RowsReused));
    }

    [Fact]
    public async Task Submit_MoreSamples_ComputesOnlyTheNewOnes()
    {
        var small = Plan(Spec(samples: 45));
        var large = Plan(Spec(samples: 90));
        await using var silo = await StartAsync();
        await RunAsync(silo, small);

        await RunAsync(silo, large);

        Assert.Equal(large.Evaluations, silo.EvaluationsEver);
    }

    [Fact]
    public async Task WriteAsync_Runs_HaveUpstreamsTensorsAndMetrics()
    {
        var plan = Plan(Spec(samples: 40) with { Internal = InternalSelection.All });
        await using var silo = await StartAsync();
        await RunAsync(silo, plan);
        using var folders = new RunFolderWriter(
            silo.Store, new RunFolderOptions { Format = TensorFormat.Safetensors }, TimeProvider.System);

        foreach (var run in plan.Runs)
            await folders.WriteAsync(plan, run, OutputFolder.At(Path.Combine(_folder, run.Slug)), CancellationToken.None);

        var plain = Path.Combine(_folder, plan.Runs[0].Slug);
        foreach (var name in new[] { "noise", "samples", "latents", "samples2" })
        {
            using var file = TensorFile.Open(Path.Combine(plain, $"{name}.safetensors"));
            Assert.Equal([40, 3, 8, 8], file.Tensor(name).Shape);
        }
        using var steps = TensorFile.Open(Path.Combine(plain, "all_t_eps_latents.safetensors"));
        Assert.Equal([10, 40, 3, 8, 8], steps.Tensor("all_t_eps_latents").Shape);
        Assert.Contains("kl_div_noise_latent", await File.ReadAllTextAsync(Path.Combine(plain, "metrics.json")));
        Assert.NotNull(RunFolder.Read(plain));
    }

    internal static async Task<SweepStatus> RunAsync(EmbeddedSilo silo, SweepPlan plan)
    {
        await silo.SubmitAsync(plan);
        return await EndAsync(silo, plan.SweepId);
    }

    /// <summary>Watches a sweep that was submitted until it ends.</summary>
    internal static async Task<SweepStatus> EndAsync(EmbeddedSilo silo, string sweepId)
    {
        var sweep = silo.Grains.GetGrain<ISweepGrain>(sweepId);
        var status = await sweep.GetStatusAsync();
        if (status.State == SweepState.Running)
        {
            await foreach (var next in sweep.WatchAsync(status.Version))
                status = next;
        }
        return status;
    }

    internal static SweepPlan Plan(SweepSpec spec)
    {
        var device = SiloDevices.Resolve("cpu")[0];
        return new SweepPlanner(new ModelCatalogue(device, null), new TensorInputFiles(), device.Kind).Plan(spec);
    }

    SweepSpec Spec(int samples) => new()
    {
        Name = "gaussian",
        Models = [GaussianModel.Write(_folder)],
        Samples = samples,
        Seeds = [420],
        NumInferenceSteps = [10],
        WithInversion = true,
        WithReconstruction = true,
        Interventions =
        [
            new(InterventionKind.SwapEps, 3),
            new(InterventionKind.SwapXt, 10),
            new(InterventionKind.Forward, 3, 999),
        ],
    };

    Task<EmbeddedSilo> StartAsync() => EmbeddedSilo.StartAsync(
        new EmbeddedSiloOptions { StoreRoot = Path.Combine(_folder, ".taba"), Devices = SiloDevices.Resolve("cpu"), Command = "test" },
        CancellationToken.None);
}
