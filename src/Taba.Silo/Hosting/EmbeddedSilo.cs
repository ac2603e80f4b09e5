using System.Net;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Taba.Diffusion.Engine;
using Taba.Grains;
using Taba.Grains.Silos;
using Taba.Grains.Sweeps;
using Taba.Storage.Checkpoints;
using Taba.Silo.Engines;
using Taba.Silo.Faults;
using Taba.Storage.GrainState;
using Taba.Storage.Manifests;
using Taba.Storage.Objects;
using Taba.Silo.Telemetry;
using Taba.Silo.Web;
using Taba.Silo.Workers;

namespace Taba.Silo.Hosting;

/// <summary>
/// The silo of a command: the grains, engine, stores and leases of a cluster, in one process with its own client. It owns the
/// store's folder while it lives.
/// </summary>
public sealed class EmbeddedSilo : IAsyncDisposable
{
    static readonly TimeSpan s_shutdownTimeout = TimeSpan.FromSeconds(60);

    const int DirectoryCache = 1024;

    readonly IHost _host;
    readonly StoreLock _lock;
    readonly EmbeddedSiloOptions _options;

    EmbeddedSilo(IHost host, StoreLock storeLock, EmbeddedSiloOptions options) => (_host, _lock, _options) = (host, storeLock, options);

    public IGrainFactory Grains => _host.Services.GetRequiredService<IGrainFactory>();

    /// <summary>Its address, which is in the keys of the grains that are pinned to it.</summary>
    public SiloAddress Address => _host.Services.GetRequiredService<ILocalSiloDetails>().SiloAddress;

    public TensorStore Store => _host.Services.GetRequiredService<TensorStore>();

    /// <summary>The address of the dashboard; null where none is served.</summary>
    public Uri? Dashboard => WebHost.AddressOf(_host.Services, _host.Services.GetRequiredService<IOptions<WebSettings>>().Value);

    /// <summary>Completes when the silo cannot go on, such as when the disk is full.</summary>
    public Task<Exception> Fault => _host.Services.GetRequiredService<FaultMonitor>().Fault;

    /// <summary>Statistics of every engine that this process had.</summary>
    public IReadOnlyList<EngineStatistics> EngineStatistics =>
        [.. _host.Services.GetRequiredService<EngineDevices>().Statistics.Select(e => e.Statistics)];

    /// <summary>Network evaluations in this store since it was made; survives a kill.</summary>
    public long EvaluationsEver => _host.Services.GetRequiredService<EvaluationCounter>().Total;

    /// <exception cref="StoreBusyException">Another process owns the store.</exception>
    /// <exception cref="StoreException">The store's disk fails.</exception>
    public static Task<EmbeddedSilo> StartAsync(EmbeddedSiloOptions options, CancellationToken cancellationToken) =>
        StartAsync(options, () => FreePorts.Of(IPAddress.Loopback), cancellationToken);

    /// <param name="choosePort">Names a port that is free as far as anyone knows; asked again when it turns out to be taken.</param>
    internal static async Task<EmbeddedSilo> StartAsync(
        EmbeddedSiloOptions options, Func<int> choosePort, CancellationToken cancellationToken)
    {
        if (options.DashboardPort is { } dashboard)
            options = options with { Settings = WebSettings.OfCommand(options.Settings, dashboard) };
        SettingsCheck.Require(options.Settings);
        await StoreLayout.RequireAsync(new FolderObjects(options.StoreRoot), cancellationToken);
        var storeLock = StoreLock.Acquire(options.StoreRoot, options.Command);
        try
        {
            // Another process may take the port between the choice and the start.
            var host = await FreePorts.Retries.Pipeline(TimeProvider.System)
                .ExecuteAsync(async token => await StartHostAsync(options, choosePort(), token), cancellationToken);
            return new EmbeddedSilo(host, storeLock, options);
        }
        catch
        {
            storeLock.Dispose();
            throw;
        }
    }

    static async Task<IHost> StartHostAsync(EmbeddedSiloOptions options, int port, CancellationToken cancellationToken)
    {
        var host = Build(options, port);
        try
        {
            var objects = host.Services.GetRequiredService<IObjectStore>();
            await StoreLayout.PrepareAsync(objects, cancellationToken);
            // The lock is held, so no attempt lives: what is there is what a kill left.
            await LeftCheckpoints.ClearAsync(host.Services.GetRequiredService<TensorStore>(), cancellationToken);
            // Work that other commands left unfinished in this store is not this command's: nothing begins before a sweep is submitted.
            host.Services.GetRequiredService<PartWorker>().Drain();
            await host.StartAsync(cancellationToken);
            return host;
        }
        catch
        {
            await host.DisposeHostAsync();
            throw;
        }
    }

    /// <summary>Runs this sweep and no other; those that earlier commands left unfinished wait for their own command.</summary>
    public async Task<SweepStatus> SubmitAsync(SweepPlan plan)
    {
        foreach (var other in await Grains.GetGrain<ISweepIndexGrain>(0).GetLiveAsync())
        {
            if (other.SweepId != plan.SweepId)
                await Grains.GetGrain<ISweepGrain>(other.SweepId).CancelAsync();
        }
        var status = await Grains.GetGrain<ISweepGrain>(plan.SweepId).SubmitAsync(plan);
        _host.Services.GetRequiredService<PartWorker>().Resume();
        return status;
    }

    /// <summary>Removes a stage with its checkpoints, before anything is submitted.</summary>
    public Task ForgetAsync(string stageKey, CancellationToken cancellationToken) =>
        Store.RemoveStageAsync(stageKey, cancellationToken);

    /// <summary>Ends the running segments and makes their checkpoints durable; takes no new work.</summary>
    public async Task DrainAsync(TimeSpan atMost)
    {
        using var timeout = new CancellationTokenSource(atMost);
        _host.Services.GetRequiredService<PartWorker>().Drain();
        try
        {
            await _host.Services.GetRequiredService<EngineDevices>().DrainAsync().WaitAsync(timeout.Token);
            await _host.Services.GetRequiredService<PartCheckpoints>().FlushAsync(timeout.Token);
        }
        catch (OperationCanceledException)
        {
            // A sample that did not end in time loses what it did since its last checkpoint, as in a kill.
        }
    }

    /// <summary>What each device did that evaluated anything.</summary>
    public IReadOnlyList<DeviceUse> DeviceUses => _host.Services.GetRequiredService<EngineDevices>().Uses;

    /// <summary>Notes in the store how fast the engines were, for plans to come.</summary>
    public void RememberSpeeds()
    {
        var memory = _host.Services.GetRequiredService<SpeedMemory>();
        foreach (var (model, done) in _host.Services.GetRequiredService<EngineDevices>().Statistics)
            memory.Add(model.Engine, _options.Devices[0].SpeedName, done.Evaluations, done.NetworkTime + done.OverheadTime
                + done.OutputWaitTime, done.BatchLimit);
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            using var timeout = new CancellationTokenSource(s_shutdownTimeout);
            _host.Services.GetRequiredService<Farewell>().Begin();
            // A part that only verifies may still run: nobody waits for it.
            _host.Services.GetRequiredService<SampleReports>().BeginDraining();
            await _host.StopAsync(timeout.Token);
        }
        finally
        {
            await _host.DisposeHostAsync();
            _lock.Dispose();
        }
    }

    static IHost Build(EmbeddedSiloOptions options, int port)
    {
        var host = SiloHostBuilder.Create(options.Settings, cluster: null);
        var builder = host.Builder;
        var farewell = new Farewell(Quiet(options));
        builder.Services.AddSingleton(farewell);
        builder.Logging.AddTabaConsole(host.Logging, timestamps: null).SetMinimumLevel(options.LogLevel)
            .AddFilter("Orleans", farewell.Until(options.LogLevel < LogLevel.Information ? options.LogLevel : LogLevel.Error))
            .AddFilter("Microsoft.Hosting", LogLevel.Warning)
            // Orleans retries a placement through Polly and reports what matters itself.
            .AddFilter("Polly", farewell.Until(LogLevel.Error))
            // A command says itself what ends it, in one sentence.
            .AddFilter("Taba.Grains", Quiet(options))
            .AddFilter(typeof(FaultMonitor).FullName, Quiet(options))
            // Calls that are given up while it stops; a call that fails says so to its caller.
            .AddFilter("Orleans.Messaging", Quiet(options))
            .AddFilter("Orleans.Storage", Quiet(options))
            .AddFilter("Orleans.Core", Quiet(options))
            // A silo that stops looks for another to take its grains over, and there is none.
            .AddFilter("Orleans.Grain", Quiet(options));
        builder.Services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(
            o => o.LogToStandardErrorThreshold = LogLevel.Trace);
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = s_shutdownTimeout);
        builder.Services.AddTabaSilo(builder.Configuration, options.Devices, new EmbeddedPlace(options.StoreRoot));
        options.Services?.Invoke(builder.Services);
        builder.Services.PostConfigure<EngineSettings>(o =>
        {
            o.BatchSize = options.BatchSize ?? o.BatchSize;
            o.Network = options.Network ?? o.Network;
        });
        builder.AddTabaTelemetry($"embedded-{Environment.MachineName}-{Environment.ProcessId}", host.Web.ServesMetrics);
        builder.UseOrleans(silo =>
        {
            // The silo's own address needs a port. A gateway is for clients of other processes, and there are none.
            silo.UseLocalhostClustering(port, gatewayPort: 0, serviceId: "taba", clusterId: "embedded");
            // Nobody else joins a localhost cluster: bind to loopback only.
            silo.Configure<EndpointOptions>(o => o.AdvertisedIPAddress = IPAddress.Loopback);
            // Alone, it knows where its grains are: the cache, by default of a million, only holds on to those that are gone.
            silo.Configure<GrainDirectoryOptions>(o => o.CacheSize = DirectoryCache);
            silo.AddSqliteGrainStorage(ReadableGrainState.ProviderName, Path.Combine(options.StoreRoot, "grains.db"));
            silo.AddReadableGrainState();
            silo.AddOrleansPages(host.Web);
            silo.AddTabaPlacement(new(
                "embedded", SiloRole.Worker, options.Devices, options.BatchSize ?? options.Devices.DefaultBatchSize));
        });
        builder.Services.AddTabaWorker();
        return host.Build();
    }

    static LogLevel Quiet(EmbeddedSiloOptions options) => options.LogLevel < LogLevel.Warning ? options.LogLevel : LogLevel.None;

    /// <summary>
    /// From the moment that the silo ends nothing that the frameworks cannot do is news: a grain that still calls another finds no silo
    /// that would take it.
    /// </summary>
    /// <param name="afterwards">The least level that is shown then.</param>
    sealed class Farewell(LogLevel afterwards)
    {
        volatile bool _begun;

        public void Begin() => _begun = true;

        public Func<LogLevel, bool> Until(LogLevel least) => level => level >= (_begun ? afterwards : least);
    }
}
