using System.Runtime.InteropServices;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Taba.Grains.Ports;
using Taba.Grains.Silos;
using Taba.Silo.Workers;
using Taba.Silo.Clusters;
using Taba.Silo.Devices;
using Taba.Silo.Engines;
using Taba.Silo.Hosting;

namespace Taba.Scale;

/// <summary>
/// A silo whose devices are simulated, in this process: membership, grains, state, leases and manifests are those of a real one.
/// </summary>
static class SimulatedSilo
{
    static readonly TimeSpan s_reportEvery = TimeSpan.FromSeconds(1);

    /// <summary>Runs until it is told to end.</summary>
    /// <param name="name">Its name, and that of its report in <paramref name="reports"/>.</param>
    public static async Task<int> RunAsync(string name, SiloRole role, ScaleOptions options, string reports)
    {
        using var ended = new CancellationTokenSource();
        using var onTerminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context =>
        {
            context.Cancel = true;
            ended.Cancel();
        });
        var settings = SettingsFiles.Read();
        SimulatedWorkspace? workspace = null;
        SimulatedEngines? engines = null;
        await using var silo = await ClusterSilo.StartAsync(
            new()
            {
                Cluster = ClusterSettings.Read(settings, ScaleCluster.Name),
                Name = name,
                Role = role,
                Devices = SiloDevices.Resolve("cpu"),
                BatchSize = options.Batch * options.DevicesPerSilo,
                Settings = settings,
                LogLevel = LogLevel.Warning,
                Services = services =>
                {
                    services.AddSingleton(options);
                    services.AddSingleton<SimulatedParts>();
                    services.AddSingleton<CallCount>();
                    services.AddSingleton<IIncomingGrainCallFilter>(p => p.GetRequiredService<CallCount>());
                    // Nothing has to be loaded.
                    services.Configure<WorkerSettings>(o => o.SwitchAfter = TimeSpan.Zero);
                    services.AddSingleton<SimulatedEngines>();
                    services.AddSingleton<SimulatedWorkspace>();
                    services.Replace(ServiceDescriptor.Singleton<IModelEngines>(p => engines = p.GetRequiredService<SimulatedEngines>()));
                    services.Replace(ServiceDescriptor.Singleton<IEngineCapacity>(p => engines = p.GetRequiredService<SimulatedEngines>()));
                    services.Replace(
                        ServiceDescriptor.Singleton<IPartWorkspace>(p => workspace = p.GetRequiredService<SimulatedWorkspace>()));
                },
            },
            ended.Token);
        Console.WriteLine($"{name} ready");
        var report = Path.Combine(reports, $"{name}.json");
        while (!ended.IsCancellationRequested && !silo.Ended.IsCompleted)
        {
            if (workspace is not null && engines is not null)
            {
                var done =
                    workspace.Report with { Passes = engines.Passes, RowSteps = engines.RowSteps, ReportsFailed = engines.ReportsFailed };
                done.Write(report);
            }
            await Task.Delay(s_reportEvery, ended.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        await silo.DrainAsync();
        return 0;
    }
}
