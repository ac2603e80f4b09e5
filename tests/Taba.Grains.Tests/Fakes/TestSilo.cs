using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Orleans.Configuration;
using Orleans.Runtime.Hosting;
using Orleans.Runtime.Placement;
using Orleans.Serialization;
using Orleans.Storage;
using Orleans.TestingHost;
using Taba.Grains.Placement;
using Taba.Grains.Ports;
using Taba.Grains.Stages;
using Taba.Grains.Sweeps;

namespace Taba.Grains.Tests.Fakes;

/// <summary>
/// Real grains in a real silo, over a store, a device and a clock that tests move. The store, the grain state and the script
/// outlive the silo: <see cref="RestartAsync"/> is what a kill looks like.
/// </summary>
public sealed class TestSilo : IAsyncLifetime
{
    /// <summary>How long a test waits for something that should come at once.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    static long s_seed = 1000;

    InProcessTestCluster? _cluster;

    internal FakeStore Store { get; } = new();

    internal GrainStateTable GrainState { get; } = new();

    internal DeviceScript Device { get; } = new();

    internal FakeMembership Membership { get; } = new();

    internal FakeSignal Signal { get; } = new();

    internal FakeSilos Silos { get; } = new();

    internal FakeUpkeep Upkeep { get; } = new();

    internal FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));

    internal FakeWorkspace Workspace { get; private set; } = null!;

    /// <summary>As in a cluster; null as in a command.</summary>
    internal TimeSpan? LongestPause { get; init; }

    /// <summary>One published part in so many is computed once more.</summary>
    internal int VerifyOneIn { get; init; }

    internal IGrainFactory Grains => Cluster.Client;

    internal InProcessTestCluster Cluster => _cluster!;

    public async ValueTask InitializeAsync()
    {
        Workspace = new FakeWorkspace(Store);
        var builder = new InProcessTestClusterBuilder(1);
        builder.ConfigureSilo((_, silo) =>
        {
            silo.Services.AddSingleton<TimeProvider>(Time);
            silo.Services.Configure<LeaseOptions>(o => o.LongestPause = LongestPause);
            silo.Services.Configure<VerifyOptions>(o => o.OneIn = VerifyOneIn);
            silo.Services.AddSingleton<IPartCatalogue>(Store);
            silo.Services.AddSingleton<IWorkerLiveness>(Membership);
            silo.Services.AddSingleton<IWorkSignal>(Signal);
            silo.Services.AddSingleton<IStoreUpkeep>(Upkeep);
            silo.UseInMemoryReminderService();
            silo.Services.AddSingleton<IPartWorkspace>(Workspace);
            silo.Services.AddSingleton<IModelEngines>(
                services => new FakeEngines(services.GetRequiredService<IGrainFactory>(), Workspace, Device));
            silo.Services.AddKeyedSingleton<IGrainStorage>(Taba.Grains.GrainStorage.Name, (services, _) =>
                new DurableStorage(services.GetRequiredService<Serializer>(), GrainState));
            silo.Services.AddSingleton<ISiloDirectory>(Silos);
            silo.AddGrainDirectory(SiloGrainDirectory.Name, (_, _) => new SiloGrainDirectory());
            silo.Services.AddPlacementDirector<PinnedToSiloPlacement, PinnedToSiloDirector>();
            silo.Services.AddPlacementDirector<CoordinatorPlacement, CoordinatorPlacementDirector>();
            silo.Services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.None));
        });
        builder.ConfigureClient(client => client.Configure<ClientMessagingOptions>(o => o.ResponseTimeout = Patience));
        _cluster = builder.Build();
        await _cluster.DeployAsync();
    }

    public async ValueTask DisposeAsync() => await Cluster.DisposeAsync();

    /// <summary>The silo is gone, with all that it held in memory, and another one starts over the same store and state.</summary>
    internal async Task RestartAsync()
    {
        await Cluster.KillSiloAsync(Cluster.Silos[0]);
        await Cluster.DisposeAsync();
        await InitializeAsync();
    }

    /// <summary>A sampling stage that no other test has.</summary>
    internal static StageSpec NewStage() => TestStages.Sample with { Input = TestStages.Noise(Interlocked.Increment(ref s_seed), 128) };

    internal IStageGrain Stage(string key) => Grains.GetGrain<IStageGrain>(StageAddress.GrainKey(key));

    internal ISweepGrain Sweep(string id) => Grains.GetGrain<ISweepGrain>(id);

    /// <summary>Stages of which a sweep wants rows, the deepest first.</summary>
    internal IReadOnlyList<string> StagesOf(string sweepId) =>
    [
        .. GrainState.All("stage/").Select(bytes => Cluster.Silos[0].ServiceProvider.GetRequiredService<Serializer>()
                .Deserialize<StageState>(bytes)!)
            .SelectMany(s => s.Demands.Where(d => d.SweepId == sweepId).Select(d => (Key: StageKey.Of(s.Spec!), d.Depth)))
            .OrderByDescending(s => s.Depth).Select(s => s.Key),
    ];

    internal RowSet Published(string stageKey) => RowSet.Of([.. Store.Manifests(stageKey).Select(m => m.Rows)]);
}

/// <summary>Tests that share one silo run one after another, for they share its clock.</summary>
[CollectionDefinition(Name)]
public sealed class SiloCollection : ICollectionFixture<TestSilo>
{
    public const string Name = "silo";
}
