using Microsoft.Extensions.DependencyInjection;
using Orleans.Runtime.Placement;
using Orleans.TestingHost;
using Taba.Grains.Models;
using Taba.Grains.Ports;
using Taba.Grains.Stages;
using Taba.Grains.Trajectories;

namespace Taba.Grains.Tests.Grains;

/// <summary>A model's grain is where its device is, whoever calls it.</summary>
public sealed class PlacementTests
{
    [Fact]
    public async Task ModelGrain_CalledFromAnywhere_IsOnTheSiloOfItsKey()
    {
        var builder = new InProcessTestClusterBuilder(2);
        builder.ConfigureSilo((silo, host) =>
        {
            host.Services.AddSingleton<IEngineHost>(new NamedEngine(silo.SiloName));
            host.Services.AddPlacementDirector<PinnedToSiloPlacement, PinnedToSiloDirector>();
        });
        await using var cluster = builder.Build();
        await cluster.DeployAsync();
        foreach (var silo in cluster.Silos)
        {
            for (var i = 0; i < 4; i++)
            {
                var model = cluster.Client.GetGrain<IModelGrain>(PinnedToSiloPlacement.Key(silo.SiloAddress, $"model{i}"));
                Assert.Equal(NamedEngine.Id(silo.Name), (await model.OpenAsync(default, i)).Incarnation);
            }
        }

        var gone = SiloAddress.New(System.Net.IPAddress.Loopback, 1, 1);
        var lost = cluster.Client.GetGrain<IModelGrain>(PinnedToSiloPlacement.Key(gone, "model"));
        Assert.Contains(gone.ToParsableString(), (await Assert.ThrowsAnyAsync<Exception>(() => lost.OpenAsync(default, 0).AsTask())).ToString());
    }

    /// <summary>An engine that says where it is.</summary>
    sealed class NamedEngine(string silo) : IEngineHost
    {
        public int SegmentSteps => 1;

        public static Guid Id(string silo) => new(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(silo)).AsSpan(0, 16));

        public string EngineKey(StageSpec spec) => silo;

        public SlotTicket Open(PartAttempt attempt, int sample) => new(Id(silo), sample);

        public void RunSegment(SlotTicket slot, int steps) => throw new NotSupportedException("no test asks for steps");

        public void Close(SlotTicket slot) => throw new NotSupportedException("no test closes a slot");
    }
}
