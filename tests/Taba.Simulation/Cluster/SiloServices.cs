using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Runtime.MembershipService.SiloMetadata;
using Orleans.Runtime.Placement;
using Orleans.Timers;
using Taba.Grains.Placement;
using Taba.Grains.Ports;
using Taba.Silo.Engines;
using Taba.Silo.Faults;
using Taba.Silo.Models;
using Taba.Silo.Parts;
using Taba.Silo.Workers;
using Taba.Simulation.Storage;
using Taba.Simulation.Work;
using Taba.Storage.Checkpoints;
using Taba.Storage.Manifests;
using Taba.Storage.Objects;

namespace Taba.Simulation.Cluster;

/// <summary>The services of a silo: the real ones wherever no tensor and no file is needed.</summary>
static class SiloServices
{
    static readonly Type[] s_workers =
    [
        .. typeof(PartWorker).Assembly.GetTypes().Where(
            t => t.Namespace == typeof(PartWorker).Namespace && t is { IsClass: true, IsAbstract: false, IsGenericType: false }
            && !t.IsDefined(typeof(System.Runtime.CompilerServices.CompilerGeneratedAttribute)) && !t.IsNested
            && t.GetConstructors(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic).Length == 1),
    ];

    static readonly Type[] s_ports =
        [.. typeof(IPartWorkspace).Assembly.GetTypes().Where(t => t.IsInterface && t.Namespace == typeof(IPartWorkspace).Namespace)];

    public static IServiceProvider Of(SimSilo silo)
    {
        var runtime = new SimRuntime(silo);
        var (cluster, settings) = (silo.Cluster, silo.Cluster.Settings);
        var services = new ServiceCollection();
        services.AddOptions();
        services.AddSingleton(silo);
        services.AddSingleton(typeof(ILogger<>), typeof(SimLogger<>));
        services.AddSingleton<TimeProvider>(silo.Time);
        services.AddSingleton<IGrainFactory>(silo.Grains);
        services.AddSingleton<IGrainRuntime>(runtime);
        services.AddSingleton<ITimerRegistry>(runtime);
        services.AddSingleton<ILocalSiloDetails>(runtime);
        services.AddSingleton<IClusterMembershipService>(silo.View);
        services.AddSingleton<ISiloMetadataCache>(silo.View);
        services.AddSingleton(Options.Create(settings.Leases));
        services.AddSingleton(Options.Create(settings.Checkpoints));
        services.AddSingleton(Options.Create(new WorkerSettings { SwitchAfter = settings.SwitchAfter }));

        services.AddSingleton(p => new FaultMonitor(goesOn: true, p.GetRequiredService<ILogger<FaultMonitor>>()));
        services.AddSingleton(new WorkerRole(silo.Role));
        services.AddSingleton(silo.Facts);
        services.AddSingleton<IObjectStore>(new SiloObjects(silo, cluster.Objects));
        services.AddSingleton(p => new TensorStore(p.GetRequiredService<IObjectStore>(), silo.Time));
        services.AddSingleton(p => new PartCheckpoints(
            p.GetRequiredService<IObjectStore>(), goesOnAfterFaults: true, settings.Checkpoints, silo.Time, silo.Pool));
        services.AddSingleton<LostInputs>();
        services.AddSingleton<GrainStorePorts>();
        services.AddSingleton<ModelPauses>();
        services.AddSingleton<SimParts>();
        services.AddSingleton<SimWorkspace>();
        services.AddSingleton<SimEngines>();
        services.AddSingleton<IEngineCapacity>(p => p.GetRequiredService<SimEngines>());
        foreach (var worker in s_workers)
            services.TryAddSingleton(worker, worker);
        // Whatever grains need of a silo is done by whichever of these classes does it.
        foreach (var real in services.Where(d => d.ServiceType.IsClass).Select(d => d.ServiceType).ToList())
        {
            foreach (var port in s_ports.Where(p => p.IsAssignableFrom(real)))
                services.TryAddSingleton(port, p => p.GetRequiredService(real));
        }
        return new Remembered(services.BuildServiceProvider());
    }

    /// <summary>Who places grains of a kind; null when nothing is said of it.</summary>
    public static IPlacementDirector? DirectorOf(GrainKind kind, IServiceProvider services) => kind.Placement switch
    {
        CoordinatorPlacement => ActivatorUtilities.CreateInstance<CoordinatorPlacementDirector>(services),
        PinnedToSiloPlacement => new PinnedToSiloDirector(),
        _ => null,
    };

    /// <summary>An activation is gone without its end: what counts it for the whole process forgets it.</summary>
    public static void Buried(Activation activation)
    {
        if (((IGrainContext)activation).GrainInstance is { } grain)
            Taba.Grains.Telemetry.StageAccounts.Close(grain);
    }

    /// <summary>
    /// Everything is there once for each silo: the container, which compiles what it is asked for often, is asked once.
    /// </summary>
    sealed class Remembered(ServiceProvider services) : IServiceProvider
    {
        readonly Dictionary<Type, object?> _known = [];

        public object? GetService(Type serviceType)
        {
            if (!_known.TryGetValue(serviceType, out var service))
                _known[serviceType] = service = services.GetService(serviceType);
            return service;
        }
    }

    sealed class SimLogger<T>(SimSilo silo) : ILogger<T>
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => silo.World.Trace.Records;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (silo.World.Trace.Records)
                silo.World.Trace.Tell(
                    silo.World.Now, $"log {eventId.Id}", silo.Name, $"{formatter(state, exception)} {exception?.Message}");
        }
    }
}
