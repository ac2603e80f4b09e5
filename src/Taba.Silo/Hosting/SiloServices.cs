using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Orleans.Hosting;
using Taba.Diffusion.Engine;
using Taba.Grains.Models;
using Taba.Grains.Ports;
using Taba.Grains.Stages;
using Taba.Silo.Checkpoints;
using Taba.Silo.Conditions;
using Taba.Silo.Engines;
using Taba.Silo.Storage;
using Taba.Silo.Workers;

namespace Taba.Silo.Hosting;

/// <summary>What every silo has, embedded or in a cluster.</summary>
static class SiloServices
{
    public static IServiceCollection AddTabaSilo(this IServiceCollection services, IConfiguration configuration, DeviceChoice device, string storeRoot)
    {
        services.AddTabaSettings(configuration);
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton(device);
        services.AddSingleton<FaultMonitor>();

        services.AddSingleton<ITensorStore>(_ => new FolderTensorStore(storeRoot));
        services.AddSingleton(_ => new EvaluationCounter(storeRoot));
        services.AddSingleton(provider =>
        {
            var checkpoints = new SegmentCheckpointStore(storeRoot, provider.GetRequiredService<IOptions<CheckpointOptions>>().Value);
            var faults = provider.GetRequiredService<FaultMonitor>();
            checkpoints.Failed += exception => faults.Report(exception, "writing checkpoints");
            return checkpoints;
        });
        services.AddSingleton<ICheckpointStore>(provider => provider.GetRequiredService<SegmentCheckpointStore>());
        services.AddSingleton<IPartCatalogue, PartCatalogue>();

        services.AddSingleton<ActiveParts>();
        services.AddSingleton<NoiseSources>();
        services.AddSingleton<RowBuffers>();
        services.AddSingleton<FreedMemory>();
        services.AddSingleton<RecentResults>();
        services.AddSingleton(_ => new EmbeddingStore(storeRoot));
        services.AddSingleton<PromptEmbeddings>();
        services.AddSingleton<ConditionRows>();
        services.AddSingleton<AutoencoderHost>();
        services.AddSingleton<PartPreparation>();
        services.AddSingleton<PartPublisher>();
        services.AddSingleton<IPartWorkspace, PartWorkspace>();
        services.AddSingleton<IEvaluationJournal, EvaluationJournal>();
        services.AddSingleton(_ => new SpeedMemory(storeRoot));
        services.AddSingleton<EngineTroubles>();
        services.AddSingleton<EngineHost>();
        services.AddSingleton(provider => new EngineWatchdog(
            () => provider.GetRequiredService<EngineHost>().Heartbeats,
            provider.GetRequiredService<EngineTroubles>(),
            provider.GetRequiredService<DeviceChoice>(),
            provider.GetRequiredService<IOptions<EngineSettings>>(),
            provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<IEngineWatch>(provider => provider.GetRequiredService<EngineWatchdog>());
        services.AddSingleton<IHostedService>(provider => provider.GetRequiredService<EngineWatchdog>());
        services.AddSingleton<IEngineHost>(provider => provider.GetRequiredService<EngineHost>());

        services.AddSingleton<WorkSignal>();
        services.AddSingleton<IWorkSignal>(provider => provider.GetRequiredService<WorkSignal>());
        services.AddSingleton<IWorkerLiveness, SiloMembership>();
        services.AddSingleton<PartWorker>();
        return services;
    }

    /// <summary>Runs the worker. Called after Orleans was added: services stop in reverse, and the worker must stop before the grains do.</summary>
    public static IServiceCollection AddTabaWorker(this IServiceCollection services) =>
        services.AddSingleton<IHostedService>(provider => provider.GetRequiredService<PartWorker>());

    /// <summary>Ends the process, with status 3, when its device hangs or is broken. For silos of a cluster, which a supervisor starts again.</summary>
    public static IServiceCollection AddTabaEngineExit(this IServiceCollection services) =>
        services.AddSingleton<IHostedService>(provider => new EngineExit(
            provider.GetRequiredService<IEngineWatch>(), provider.GetRequiredService<EngineHost>().ReportsAsync, EngineExit.Process));

    /// <summary>The settings of a silo, checked when it starts.</summary>
    public static void AddTabaSettings(this IServiceCollection services, IConfiguration configuration)
    {
        Add<EngineSettings>(EngineSettings.Section);
        Add<LeaseOptions>(LeaseOptions.Section);
        Add<CheckpointOptions>(CheckpointOptions.Section);

        void Add<T>(string section)
            where T : class => services.AddOptions<T>().Bind(configuration.GetSection(section)).ValidateDataAnnotations().ValidateOnStart();
    }

    public static ISiloBuilder AddTabaPlacement(this ISiloBuilder silo)
    {
        silo.Services.AddPlacementDirector<PinnedToSiloPlacement, PinnedToSiloDirector>();
        return silo;
    }
}
