using System.Net;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Polly;
using Taba.Grains.Stages;
using Taba.Storage.Checkpoints;
using Taba.Silo.Engines;
using Taba.Silo.Faults;
using Taba.Silo.Hosting;
using Taba.Storage.Manifests;
using Taba.Storage.Objects;
using Taba.Silo.Telemetry;
using Taba.Silo.Tls;
using Taba.Silo.Web;
using Taba.Silo.Workers;

namespace Taba.Silo.Clusters;

/// <summary>A silo of a cluster, in a process of its own: its devices, or none.</summary>
sealed partial class ClusterSilo : IAsyncDisposable
{
    /// <summary>Several times the samples that a silo has in flight.</summary>
    const int DirectoryCache = 1 << 14;

    /// <summary>A host that fails again and again is tried this often.</summary>
    static readonly TimeSpan s_longestPause = TimeSpan.FromMinutes(5);

    /// <summary>What takes longer may have a reason that Orleans does not tell: a silo that others refuse tries for minutes.</summary>
    static readonly TimeSpan s_usual = TimeSpan.FromSeconds(5);

    readonly IHost _host;
    readonly StoreLock? _lock;
    readonly TabaClusterOptions _options;

    ClusterSilo(IHost host, StoreLock? storeLock, TabaClusterOptions options) => (_host, _lock, _options) = (host, storeLock, options);

    /// <summary>Completes when the host has ended, by itself or by a signal.</summary>
    public Task Ended => _host.WaitForShutdownAsync();

    /// <summary>Why it must leave its cluster, as soon as it must.</summary>
    public Task<string> Misfit => _host.Services.GetRequiredService<ClockWatch>().Misfit;

    /// <summary>The addresses on which it listens, for the line that says that it is ready.</summary>
    public string Endpoints
    {
        get
        {
            var silo = _host.Services.GetRequiredService<ILocalSiloDetails>();
            var page = WebHost.AddressOf(_host.Services, _host.Services.GetRequiredService<IOptions<WebSettings>>().Value);
            return $"{silo.SiloAddress.Endpoint}, gateway {silo.GatewayAddress?.Endpoint}{(page is null ? "" : $", dashboard {page}")}";
        }
    }

    /// <exception cref="BadInputException">The certificate is not for silos, or a living silo has the name.</exception>
    /// <exception cref="ClusterUnreachableException">Membership cannot be reached or joined.</exception>
    /// <exception cref="StoreBusyException">An embedded run holds the store.</exception>
    /// <exception cref="StoreException">The store cannot be used.</exception>
    public static async Task<ClusterSilo> StartAsync(ClusterSiloOptions options, CancellationToken cancellationToken)
    {
        if (options.Cluster.Credentials is { IsForServers: false } other)
            throw new BadInputException(
                $"{options.Cluster.TlsSection}:CertificateFile: the {other.Text} is for clients and not for silos.");
        if (options.Cluster.Init)
            await ClusterSchema.InitAsync(options.Cluster, cancellationToken);
        await ClusterSchema.RequireAsync(options.Cluster, cancellationToken);
        await ClusterClock.RequireAsync(options.Cluster, TimeProvider.System, cancellationToken);
        await ClusterStores.PrepareAsync(options.Cluster, cancellationToken);
        var storeLock = options.Cluster.StoreContainer is null ? StoreLock.Share(options.Cluster.Store) : null;
        try
        {
            var anyPort = options.Cluster is { SiloPort: 0 } or { GatewayPort: 0 };
            var starting = anyPort ? FreePorts.Retries.Pipeline(TimeProvider.System) : ResiliencePipeline.Empty;
            return new(await starting.ExecuteAsync(
                async token => await StartHostAsync(options, token), cancellationToken), storeLock, options.Cluster);
        }
        catch
        {
            storeLock?.Dispose();
            throw;
        }
    }

    static async Task<IHost> StartHostAsync(ClusterSiloOptions options, CancellationToken cancellationToken)
    {
        var host = Build(options);
        using var refused = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            if (options.Cluster.IsOpen)
                LogOpen(host.Services.GetRequiredService<ILogger<ClusterSilo>>(), options.Cluster.Address);
            await SiloNames.RequireFreeAsync(host.Services, options.Name, options.Cluster.Name, cancellationToken);
            var starting = host.StartAsync(refused.Token);
            if (await RefusalAsync(host, options.Cluster, starting, cancellationToken) is { } refusal)
            {
                await refused.CancelAsync();
                await Task.WhenAny(starting, Task.Delay(s_usual, CancellationToken.None));
                throw new ClusterUnreachableException(refusal);
            }
            await starting;
            return host;
        }
        catch (Exception exception)
        {
            await host.DisposeHostAsync();
            if (exception is BadInputException || (exception is OperationCanceledException && cancellationToken.IsCancellationRequested))
                throw;
            if (FaultMonitor.StoreFault(exception) is { } store)
                throw store;
            throw new ClusterUnreachableException($"the silo cannot join cluster {options.Cluster.Name}: {exception.Message}", exception);
        }
    }

    static async Task<string?> RefusalAsync(IHost host, TabaClusterOptions options, Task starting, CancellationToken cancellationToken)
    {
        await Task.WhenAny(starting, Task.Delay(s_usual, cancellationToken));
        if (starting.IsCompleted)
            return null;
        var here = host.Services.GetRequiredService<ILocalSiloDetails>().SiloAddress;
        var members = host.Services.GetRequiredService<IClusterMembershipService>().CurrentSnapshot.Members.Values;
        return await Handshake.RefusalAsync(
            members.Where(m => m.Status == SiloStatus.Active && !m.SiloAddress.Equals(here)).Select(m => m.SiloAddress.Endpoint),
            options.Credentials, cancellationToken);
    }

    /// <summary>
    /// Takes no more parts, ends running segments, makes their checkpoints durable, gives parts back, and leaves the cluster.
    /// </summary>
    public async Task DrainAsync()
    {
        using var limit = new CancellationTokenSource(_options.DrainFor);
        _host.Services.GetRequiredService<PartWorker>().Drain();
        try
        {
            await _host.Services.GetRequiredService<EngineDevices>().DrainAsync().WaitAsync(limit.Token);
            await _host.Services.GetRequiredService<PartCheckpoints>().FlushAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            // A sample that did not end in time loses what it did since its last checkpoint, as in a kill.
        }
        try
        {
            await _host.Services.GetRequiredService<PartWorker>().GiveBackAsync().WaitAsync(limit.Token);
            await _host.StopAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            // Membership finds out by itself.
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _host.DisposeHostAsync();
        _lock?.Dispose();
    }

    static IHost Build(ClusterSiloOptions options)
    {
        var cluster = options.Cluster;
        var host = SiloHostBuilder.Create(options.Settings, cluster.Name);
        var builder = host.Builder;
        builder.Logging.AddTabaConsole(host.Logging, timestamps: "HH:mm:ss.fff ").SetMinimumLevel(options.LogLevel)
            .AddFilter("Orleans", options.LogLevel < LogLevel.Information ? options.LogLevel : LogLevel.Error)
            .AddFilter("Microsoft", LogLevel.Warning)
            // Calls to silos that have just died fail one by one. Their callers say once what matters.
            .AddFilter("Orleans.Messaging", Quiet(options))
            .AddFilter("Orleans.Runtime.GrainDirectory", Quiet(options))
            // One that was killed is asked for its facts until the others know that it is dead.
            .AddFilter("Orleans.Runtime.MembershipService.SiloMetadata", Quiet(options))
            .AddFilter("Polly", Quiet(options));
        builder.Services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(
            o => o.LogToStandardErrorThreshold = LogLevel.Trace);
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = cluster.DrainFor);
        // This program hears the signals itself: a silo that is told to end first drains.
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.Services.AddTabaSilo(builder.Configuration, options.Devices, new ClusterPlace(cluster, options.Name, options.Role));
        builder.Services.PostConfigure<LeaseOptions>(o => o.LongestPause ??= s_longestPause);
        options.Services?.Invoke(builder.Services);
        builder.AddTabaTelemetry(options.Name, host.Web.ServesMetrics);
        builder.UseOrleans(silo =>
        {
            silo.AddTabaCluster(cluster);
            silo.Configure<SiloOptions>(o => o.SiloName = options.Name);
            // By default a silo remembers where a million grains are: a sweep's samples, long ended, some 2 KiB each.
            silo.Configure<GrainDirectoryOptions>(o => o.CacheSize = DirectoryCache);
            silo.Configure<EndpointOptions>(o =>
            {
                var address = IPAddress.Parse(cluster.Address);
                o.AdvertisedIPAddress = cluster.AdvertisedAddress is { } other ? IPAddress.Parse(other) : address;
                o.SiloPort = cluster.SiloPort == 0 ? FreePorts.Of(address) : cluster.SiloPort;
                o.GatewayPort = cluster.GatewayPort == 0 ? FreePorts.Of(address) : cluster.GatewayPort;
                // This address and no other.
                o.SiloListeningEndpoint = new(address, o.SiloPort);
                o.GatewayListeningEndpoint = new(address, o.GatewayPort);
            });
            silo.AddOrleansPages(host.Web);
            silo.AddTabaPlacement(new(options.Name, options.Role, options.Devices, options.BatchSize));
        });
        builder.Services.AddHostedService<UpkeepStart>();
        builder.Services.AddSingleton(p => ActivatorUtilities.CreateInstance<ClockWatch>(p, cluster));
        builder.Services.AddHostedService(p => p.GetRequiredService<ClockWatch>());
        builder.Services.AddTabaWorker();
        builder.Services.AddTabaEngineExit();
        return host.Build();
    }

    static LogLevel Quiet(ClusterSiloOptions options) => options.LogLevel < LogLevel.Information ? options.LogLevel : LogLevel.Critical;

    [LoggerMessage(5104, LogLevel.Warning,
        "There is no TLS, and other machines reach {Address}: whoever reaches the silo's ports can change results")]
    static partial void LogOpen(ILogger logger, string address);

    sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
