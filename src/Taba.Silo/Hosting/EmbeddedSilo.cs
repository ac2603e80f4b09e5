using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;
using Orleans.Hosting;
using Taba.Diffusion.Engine;
using Taba.Grains;
using Taba.Grains.Sweeps;
using Taba.Silo.Checkpoints;
using Taba.Silo.Engines;
using Taba.Silo.GrainState;
using Taba.Silo.Storage;
using Taba.Silo.Telemetry;
using Taba.Silo.Workers;

namespace Taba.Silo.Hosting;

/// <summary>
/// The silo of a command: the grains, engine, stores and leases of a cluster, in one process with its own client. It owns the
/// store's folder while it lives.
/// </summary>
public sealed class EmbeddedSilo : IAsyncDisposable
{
    static readonly TimeSpan ShutdownTimeout = TimeSpan.FromSeconds(60);

    readonly IHost _host;
    readonly StoreLock _lock;

    EmbeddedSilo(IHost host, StoreLock storeLock) => (_host, _lock) = (host, storeLock);

    public IGrainFactory Grains => _host.Services.GetRequiredService<IGrainFactory>();

    public ITensorStore Store => _host.Services.GetRequiredService<ITensorStore>();

    /// <summary>Completes when the silo cannot go on, such as when the disk is full.</summary>
    public Task<Exception> Fault => _host.Services.GetRequiredService<FaultMonitor>().Fault;

    /// <summary>What the engines did in this process.</summary>
    public IReadOnlyList<EngineStatistics> EngineStatistics => _host.Services.GetRequiredService<EngineHost>().Statistics;

    /// <summary>Network evaluations in this store since it was made; survives a kill.</summary>
    public long EvaluationsEver => _host.Services.GetRequiredService<EvaluationCounter>().Total;

    /// <exception cref="StoreBusyException">Another process owns the store.</exception>
    /// <exception cref="StoreException">The store's disk fails.</exception>
    public static async Task<EmbeddedSilo> StartAsync(EmbeddedSiloOptions options, CancellationToken cancellationToken)
    {
        SettingsCheck.Require(options.Settings);
        var storeLock = StoreLock.Acquire(options.StoreRoot, options.Command);
        try
        {
            var host = Build(options);
            try
            {
                var store = (FolderTensorStore)host.Services.GetRequiredService<ITensorStore>();
                store.SweepOrphans();
                await host.Services.GetRequiredService<SegmentCheckpointStore>().ForgetPublishedAsync(store, cancellationToken);
                // What other commands left unfinished in this store is not this one's work: nothing begins before a sweep is submitted.
                host.Services.GetRequiredService<PartWorker>().Drain();
                await host.StartAsync(cancellationToken);
                return new EmbeddedSilo(host, storeLock);
            }
            catch
            {
                await DisposeHostAsync(host);
                throw;
            }
        }
        catch
        {
            storeLock.Dispose();
            throw;
        }
    }

    /// <summary>Runs this sweep and no other; those that earlier commands left unfinished wait for their own command.</summary>
    public async Task<SweepStatus> SubmitAsync(SweepPlan plan)
    {
        foreach (var other in await Grains.GetGrain<ISweepIndexGrain>(0).GetLiveAsync())
        {
            if (other != plan.SweepId)
                await Grains.GetGrain<ISweepGrain>(other).CancelAsync();
        }
        var status = await Grains.GetGrain<ISweepGrain>(plan.SweepId).SubmitAsync(plan);
        _host.Services.GetRequiredService<PartWorker>().Resume();
        return status;
    }

    /// <summary>Removes a stage with its checkpoints, before anything is submitted.</summary>
    public async Task ForgetAsync(string stageKey, CancellationToken cancellationToken)
    {
        await Store.RemoveStageAsync(stageKey, cancellationToken);
        _host.Services.GetRequiredService<ICheckpointStore>().Forget(stageKey, new(0, int.MaxValue));
    }

    /// <summary>Ends the running segments and makes their checkpoints durable; takes no new work.</summary>
    public async Task DrainAsync(TimeSpan atMost)
    {
        using var timeout = new CancellationTokenSource(atMost);
        _host.Services.GetRequiredService<PartWorker>().Drain();
        try
        {
            await _host.Services.GetRequiredService<EngineHost>().DrainAsync().WaitAsync(timeout.Token);
            await _host.Services.GetRequiredService<ICheckpointStore>().FlushAsync(timeout.Token);
        }
        catch (OperationCanceledException)
        {
            // What did not end in time is lost up to its last checkpoint, as in a kill.
        }
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            using var timeout = new CancellationTokenSource(ShutdownTimeout);
            await _host.StopAsync(timeout.Token);
        }
        finally
        {
            await DisposeHostAsync(_host);
            _lock.Dispose();
        }
    }

    static IHost Build(EmbeddedSiloOptions options)
    {
        var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Configuration.AddInMemoryCollection(options.Settings);
        builder.Logging.AddSimpleConsole(o => o.SingleLine = true).SetMinimumLevel(options.LogLevel)
            .AddFilter("Orleans", options.LogLevel < LogLevel.Information ? options.LogLevel : LogLevel.Error)
            .AddFilter("Microsoft.Hosting", LogLevel.Warning)
            // Orleans retries a placement through Polly and reports what matters itself.
            .AddFilter("Polly", LogLevel.Error)
            // What ends a command it says itself, in one sentence.
            .AddFilter("Taba.Grains", Quiet(options))
            .AddFilter(typeof(FaultMonitor).FullName, Quiet(options))
            .AddFilter("Orleans.Storage", Quiet(options))
            .AddFilter("Orleans.Core", Quiet(options));
        builder.Services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(o => o.LogToStandardErrorThreshold = LogLevel.Trace);
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = ShutdownTimeout);
        builder.Services.AddTabaSilo(builder.Configuration, options.Device, options.StoreRoot);
        builder.Services.PostConfigure<EngineSettings>(o => o.BatchSize = options.BatchSize ?? o.BatchSize);
        builder.AddTabaTelemetry();
        builder.UseOrleans(silo =>
        {
            var (siloPort, gatewayPort) = FreePorts();
            silo.UseLocalhostClustering(siloPort, gatewayPort, serviceId: "taba", clusterId: "embedded");
            // Nobody else joins a localhost cluster: bind to loopback only.
            silo.Configure<EndpointOptions>(o => o.AdvertisedIPAddress = IPAddress.Loopback);
            // Alone, it knows where its grains are; a cache would begin with tables for a million and keep those that are gone.
            silo.Configure<GrainDirectoryOptions>(o => o.CachingStrategy = GrainDirectoryOptions.CachingStrategyType.None);
            silo.AddSqliteGrainStorage(GrainStorage.Name, Path.Combine(options.StoreRoot, "grains.db"));
            silo.AddTabaPlacement();
        });
        builder.Services.AddTabaWorker();
        return builder.Build();
    }

    static LogLevel Quiet(EmbeddedSiloOptions options) => options.LogLevel < LogLevel.Warning ? options.LogLevel : LogLevel.None;

    /// <summary>Two ports that were free just now: two commands at once must not collide.</summary>
    static (int Silo, int Gateway) FreePorts()
    {
        using var a = new TcpListener(IPAddress.Loopback, 0);
        using var b = new TcpListener(IPAddress.Loopback, 0);
        a.Start();
        b.Start();
        return (((IPEndPoint)a.LocalEndpoint).Port, ((IPEndPoint)b.LocalEndpoint).Port);
    }

    static async ValueTask DisposeHostAsync(IHost host)
    {
        if (host is IAsyncDisposable disposable)
            await disposable.DisposeAsync();
        else
            host.Dispose();
    }
}
