using Taba.Silo.Rows;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Runtime.Hosting;
using Orleans.Runtime.MembershipService.SiloMetadata;
using Taba.Diffusion.Engine;
using Taba.Grains.Placement;
using Taba.Grains.Ports;
using Taba.Grains.Stages;
using Taba.Grains.Upkeep;
using Taba.Storage.Checkpoints;
using Taba.Silo.Conditions;
using Taba.Silo.Devices;
using Taba.Silo.Engines;
using Taba.Silo.Faults;
using Taba.Silo.Models;
using Taba.Silo.Measuring;
using Taba.Silo.Parts;
using Taba.Storage.Manifests;
using Taba.Storage.Objects;
using Taba.Silo.Telemetry;
using Taba.Silo.Web;
using Taba.Silo.Workers;

namespace Taba.Silo.Hosting;

/// <summary>Registers the services that every silo has, embedded or in a cluster.</summary>
static partial class SiloServices
{
    /// <param name="place">The stores of this silo. Embedded silos and those of a cluster differ in nothing else here.</param>
    public static IServiceCollection AddTabaSilo(
        this IServiceCollection services, IConfiguration configuration, SiloDevices devices, ISiloPlace place)
    {
        services.AddTabaSettings(configuration);
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton(devices);
        services.AddSingleton<GpuMemories>();
        services.AddSingleton(provider => new FreeSpace(
            (provider.GetRequiredService<IObjectStore>() as FolderObjects)?.Place, place.LocalRoot,
            provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(provider => new FaultMonitor(place.GoesOnAfterFaults, provider.GetRequiredService<ILogger<FaultMonitor>>()));
        services.AddSingleton(new WorkerRole(place.Role));

        services.AddSingleton(_ => place.OpenObjects());
        services.AddSingleton(provider =>
        {
            var store = new TensorStore(provider.GetRequiredService<IObjectStore>(), provider.GetRequiredService<TimeProvider>());
            var logger = provider.GetRequiredService<ILogger<TensorStore>>();
            store.Damaged += (where, fault) => LogDamagedCell(logger, where, fault);
            return store;
        });
        services.AddSingleton(_ => new EvaluationCounter(place.LocalRoot));
        services.AddSingleton(provider =>
        {
            var checkpoints = new PartCheckpoints(
                provider.GetRequiredService<IObjectStore>(), place.GoesOnAfterFaults,
                provider.GetRequiredService<IOptions<CheckpointOptions>>().Value, provider.GetRequiredService<TimeProvider>());
            var faults = provider.GetRequiredService<FaultMonitor>();
            checkpoints.Failed += exception => faults.Report(exception, "writing checkpoints");
            return checkpoints;
        });
        services.AddSingleton<LostInputs>();
        services.AddSingleton<GrainStorePorts>();
        services.AddSingleton<IPartCatalogue>(p => p.GetRequiredService<GrainStorePorts>());
        services.AddSingleton<IStoreUpkeep>(p => p.GetRequiredService<GrainStorePorts>());

        services.AddSingleton<ActiveParts>();
        services.AddSingleton<NoiseSources>();
        services.AddSingleton<RowBuffers>();
        services.AddSingleton<RecentResults>();
        services.AddSingleton(_ => new EmbeddingStore(place.LocalRoot));
        services.AddSingleton<PromptEmbeddings>();
        services.AddSingleton<PartConditions>();
        services.AddSingleton<PartPreparation>();
        services.AddSingleton<BlockMeasurer>();
        services.AddSingleton<PartPublisher>();
        services.AddSingleton(new ModelsHere(place.DigestCache is { } digests ? new ModelCatalogue(devices[0], digests) : null));
        services.AddSingleton(new FeaturesHere(place.DigestCache is { } known ? new FeatureFiles(known) : null));
        services.AddSingleton<ModelPauses>();
        services.AddSingleton<IPartWorkspace, PartWorkspace>();
        services.AddSingleton<IEvaluationJournal, EvaluationJournal>();
        services.AddSingleton(_ => new SpeedMemory(place.LocalRoot));
        services.AddSingleton<SampleReports>();
        services.AddTabaEngines();

        services.AddSingleton<WorkSignal>();
        services.AddSingleton<IWorkSignal>(provider => provider.GetRequiredService<WorkSignal>());
        services.AddSingleton<SiloMembership>();
        services.AddSingleton<IWorkerLiveness>(provider => provider.GetRequiredService<SiloMembership>());
        services.AddSingleton<ISiloDirectory>(provider => provider.GetRequiredService<SiloMembership>());
        services.AddSingleton<OwnMembership>();
        services.AddSingleton<HeldParts>();
        services.AddSingleton<WorkerRoom>();
        services.AddSingleton<PartPuller>();
        services.AddSingleton<PartStarter>();
        services.AddSingleton<PullLoop>();
        services.AddSingleton<LeaseKeeper>();
        services.AddSingleton<PartWorker>();
        services.AddSingleton<SiloReport>();
        services.AddHostedService<SiloGauges>();
        return services;
    }

    /// <summary>The devices with their engines, and the watch over them.</summary>
    static void AddTabaEngines(this IServiceCollection services)
    {
        services.AddSingleton<Abandonment>();
        services.AddSingleton<StrandedParts>();
        services.AddSingleton(provider =>
        {
            var troubles = ActivatorUtilities.CreateInstance<EngineTroubles>(provider);
            troubles.Lost += trouble => provider.GetRequiredService<StrandedParts>().GiveBack(trouble);
            return troubles;
        });
        services.AddSingleton<INetworks, Networks>();
        services.AddSingleton<DevicesInTurn>();
        services.AddSingleton<BatchSizes>();
        services.AddSingleton<EngineLoader>();
        services.AddSingleton<SlotRequests>();
        services.AddSingleton(provider => ActivatorUtilities.CreateInstance<EngineDevices>(
            provider,
            (DeviceChoice device, string engine) => ActivatorUtilities.CreateInstance<ModelEngine>(provider, device, engine),
            (DeviceChoice device) => ActivatorUtilities.CreateInstance<AutoencoderHost>(provider, device)));
        services.AddSingleton<IModelEngines>(provider => provider.GetRequiredService<EngineDevices>());
        services.AddSingleton<IEngineCapacity>(provider => provider.GetRequiredService<EngineDevices>());
        services.AddSingleton(provider => ActivatorUtilities.CreateInstance<EngineWatchdog>(
            provider, () => provider.GetRequiredService<EngineDevices>().Heartbeats));
        services.AddSingleton<IEngineWatch>(provider => provider.GetRequiredService<EngineWatchdog>());
        services.AddSingleton<IHostedService>(provider => provider.GetRequiredService<EngineWatchdog>());
    }

    /// <summary>
    /// Runs the worker, and tells how the silo fares. Called after Orleans was added: services stop in reverse, and the worker must stop
    /// before the grains do.
    /// </summary>
    public static IServiceCollection AddTabaWorker(this IServiceCollection services) =>
        services.AddSingleton<IHostedService>(provider => provider.GetRequiredService<PartWorker>())
            .AddHostedService<SiloReporter>();

    /// <summary>
    /// Ends the process, with status 3, when its last device hangs or is broken. For silos of a cluster, which a supervisor starts
    /// again.
    /// </summary>
    public static IServiceCollection AddTabaEngineExit(this IServiceCollection services) =>
        services.AddSingleton<IHostedService>(provider => new EngineExit(
            provider.GetRequiredService<IEngineWatch>(), provider.GetRequiredService<SampleReports>().AllAsync, EngineExit.Process));

    /// <summary>The settings of a silo, checked when it starts.</summary>
    public static void AddTabaSettings(this IServiceCollection services, IConfiguration configuration)
    {
        Add<EngineSettings>(EngineSettings.Section);
        Add<LeaseOptions>(LeaseOptions.Section);
        Add<VerifyOptions>(VerifyOptions.Section);
        Add<WorkerSettings>(WorkerSettings.Section);
        Add<CheckpointOptions>(CheckpointOptions.Section);
        Add<StoreUpkeepOptions>(StoreUpkeepOptions.Section);
        Add<LoggingSettings>(LoggingSettings.Section);
        Add<WebSettings>(WebSettings.Section);

        void Add<T>(string section)
            where T : class => services.AddOptions<T>().Bind(configuration.GetSection(section)).ValidateDataAnnotations().ValidateOnStart();
    }

    [LoggerMessage(4502, LogLevel.Error, "The cell {Where} is damaged, and what can be read of it counts: {Fault}")]
    static partial void LogDamagedCell(ILogger logger, string where, string fault);

    /// <summary>Registers the placement of grains, and tells other silos the facts of this one.</summary>
    public static ISiloBuilder AddTabaPlacement(this ISiloBuilder silo, SiloFacts facts)
    {
        silo.UseSiloMetadata(facts.ToMetadata());
        silo.Services.AddSingleton(facts);
        silo.AddIncomingGrainCallFilter<CallErrorFilter>();
        silo.AddGrainDirectory(SiloGrainDirectory.Name, (_, _) => new SiloGrainDirectory());
        silo.Services.AddPlacementDirector<CoordinatorPlacement, CoordinatorPlacementDirector>();
        silo.Services.AddPlacementDirector<PinnedToSiloPlacement, PinnedToSiloDirector>();
        return silo;
    }
}
