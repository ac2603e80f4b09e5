using System.Collections.Immutable;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Runtime.Hosting;
using Orleans.Runtime.Placement;
using Orleans.TestingHost;
using Taba.Grains.Models;
using Taba.Grains.Placement;
using Taba.Grains.Ports;
using Taba.Grains.Stages;
using Taba.Grains.Trajectories;

namespace Taba.Grains.Tests.Grains;

/// <summary>A model's grain is where its device is, whoever calls it; a sample is where its slot is, whoever else dies.</summary>
public sealed class PlacementTests
{
    [Fact]
    public async Task ModelGrain_CalledFromAnywhere_IsOnTheSiloOfItsKey()
    {
        await using var cluster = Build(silos: 2);
        await cluster.DeployAsync();
        foreach (var silo in cluster.Silos)
        {
            for (var i = 0; i < 4; i++)
            {
                var model = cluster.Client.GetGrain<IModelGrain>(PinnedToSiloPlacement.Key(silo.SiloAddress, new("cpu", $"model{i}")));
                Assert.Equal(NamedEngine.Id(silo.Name), (await model.OpenAsync(default, i)).Incarnation);
            }
        }

        var gone = SiloAddress.New(System.Net.IPAddress.Loopback, 1, 1);
        var lost = cluster.Client.GetGrain<IModelGrain>(PinnedToSiloPlacement.Key(gone, new("cpu", "model")));
        Assert.Contains(
            gone.ToParsableString(), (await Assert.ThrowsAnyAsync<Exception>(() => lost.OpenAsync(default, 0).AsTask())).ToString());
    }

    [Fact]
    public async Task Trajectories_WhenOtherSilosDie_RememberWhereTheyAre()
    {
        // In the cluster's own directory the entries of a third of them would lie on each silo, and go with it.
        await using var cluster = Build(silos: 3);
        await cluster.DeployAsync();
        var home = cluster.Silos[0];
        var grains = home.ServiceProvider.GetRequiredService<IGrainFactory>();
        var attempt = new PartAttempt("57a9e", 0, 1, Guid.NewGuid());
        var trajectories = Enumerable.Range(0, 64).Select(
            i => grains.GetGrain<ITrajectoryGrain>(TrajectoryOrder.Key(attempt.StageKey, i))).ToList();
        Assert.All(
            await Task.WhenAll(trajectories.Select((t, i) => t.StartAsync(new(attempt, i, new("cpu", "engine"), 0, TotalSteps: 10)))),
            Assert.True);

        await cluster.KillSiloAsync(cluster.Silos[2]);
        await cluster.KillSiloAsync(cluster.Silos[1]);
        await cluster.WaitForLivenessToStabilizeAsync(didKill: true);

        var statuses = await Task.WhenAll(trajectories.Select(t => t.GetStatusAsync().AsTask()));
        Assert.Equal(Enumerable.Range(0, 64), statuses.Select(s => s.Sample));
    }

    static InProcessTestCluster Build(short silos)
    {
        var builder = new InProcessTestClusterBuilder(silos);
        builder.ConfigureSilo((silo, host) =>
        {
            host.Services.AddSingleton<IModelEngines>(new NamedEngine(silo.SiloName));
            host.AddGrainDirectory(SiloGrainDirectory.Name, (_, _) => new SiloGrainDirectory());
            host.Services.AddPlacementDirector<PinnedToSiloPlacement, PinnedToSiloDirector>();
        });
        return builder.Build();
    }

    /// <summary>Engines that say where they are, and never come to an end.</summary>
    sealed class NamedEngine(string silo) : IModelEngines, IModelEngine
    {
        public int MaxModels => 3;

        public EngineStatus Status => throw new NotSupportedException("no test looks at an engine");

        public static Guid Id(string silo) =>
            new(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(silo)).AsSpan(0, 16));

        public IModelEngine Get(ModelAddress model) => this;

        public ImmutableArray<string> Resident(string device) => [];

        public bool TryReserve() => throw new NotSupportedException("no test loads an engine");

        public Task LoadAsync(StageSpec spec) => throw new NotSupportedException("no test loads an engine");

        public Task UnloadAsync() => throw new NotSupportedException("no test unloads an engine");

        public SlotHandle Open(PartAttempt attempt, int sample) => new(Id(silo), sample);

        public void RunSegment(SlotHandle slot, int steps)
        {
        }

        public void Close(SlotHandle slot) => throw new NotSupportedException("no test closes a slot");
    }
}
