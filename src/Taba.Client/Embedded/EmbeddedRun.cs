using Microsoft.Extensions.Logging;
using Taba.Client.Hosts;
using Taba.Client.Planning;
using Taba.Grains;
using Taba.Grains.Errors;
using Taba.Grains.Planning;
using Taba.Grains.Sweeps;
using Taba.Silo.Clusters;
using Taba.Silo.Devices;
using Taba.Silo.Engines;
using Taba.Silo.Hosting;
using Taba.Silo.Inputs;
using Taba.Silo.Models;
using Taba.Storage.Manifests;
using Taba.Storage.Objects;

namespace Taba.Client.Embedded;

/// <summary>Runs sweeps on a silo inside this process.</summary>
sealed class EmbeddedRun : IRunHost
{
    const string DigestCache = "digests.json";

    public SweepPlan Plan(SweepSpec spec, string storeRoot, bool remember = false)
    {
        InputPaths.RequirePresent(spec);
        var devices = DevicesOf(spec);
        var files = new TensorInputFiles(new(Digests(storeRoot), readOnly: !remember));
        return new SweepPlanner(Models(devices, storeRoot, remember), files, devices.Kind).Plan(spec);
    }

    public PlanOutline Outline(SweepSpec spec, string storeRoot)
    {
        var devices = DevicesOf(spec);
        return OutlinePlanner.Of(spec, Models(devices, storeRoot, remember: false), devices.Kind);
    }

    public MeasuredSpeed? SpeedOf(StageSpec stage, SweepSpec spec, string storeRoot)
    {
        var devices = DevicesOf(spec);
        return new SpeedMemory(storeRoot).Find(StageEngine.Of(stage), devices[0].SpeedName)?.Times(devices.Count);
    }

    public async Task<IReadOnlyDictionary<string, RowSet>> StoredRowsAsync(
        SweepPlan plan, string storeRoot, CancellationToken cancellationToken)
    {
        var rows = new Dictionary<string, RowSet>();
        if (!Directory.Exists(storeRoot))
            return rows;
        var objects = new FolderObjects(storeRoot);
        await StoreLayout.RequireAsync(objects, cancellationToken);
        var store = new TensorStore(objects, mends: false);
        foreach (var stage in plan.Stages)
            rows[stage.Key] = await store.PublishedAsync(stage.Key, stage.Rows, stage.Keep, cancellationToken);
        return rows;
    }

    public async Task<IRunSession> StartAsync(RunJob job, CancellationToken cancellationToken)
    {
        try
        {
            var devices = DevicesOf(job.Spec);
            var silo = await EmbeddedSilo.StartAsync(
                new EmbeddedSiloOptions
                {
                    StoreRoot = job.StoreRoot,
                    Devices = devices,
                    BatchSize = job.Spec.BatchSize,
                    Network = job.Spec.Network,
                    Command = job.CommandLine,
                    Settings = SettingsFiles.Read(),
                    DashboardPort = job.DashboardPort,
                    // The command says what a user must know; logs would tear the progress display.
                    LogLevel = job.Verbose ? LogLevel.Information : LogLevel.Critical,
                },
                cancellationToken);
            return new Session(silo, devices.Kind);
        }
        catch (StoreException exception) when (DiskErrors.NeedsUser(exception))
        {
            throw new BadInputException(exception.Message, exception);
        }
        catch (Exception exception) when (exception is StoreBusyException or StoreException)
        {
            throw new RunFailedException(exception.Message, exception)
            {
                Begun = exception is not StoreBusyException, IsBusy = exception is StoreBusyException,
            };
        }
    }

    /// <summary>A refused plan leaves nothing behind: digests are remembered only where a store already is.</summary>
    static ModelCatalogue Models(SiloDevices devices, string storeRoot, bool remember) =>
        new(devices[0], Digests(storeRoot), readOnly: !remember);

    static string? Digests(string storeRoot) => Directory.Exists(storeRoot) ? Path.Combine(storeRoot, DigestCache) : null;

    static SiloDevices DevicesOf(SweepSpec spec) => SiloDevices.Resolve(spec.Device, spec.NumProcesses);

    sealed class Session(EmbeddedSilo silo, string deviceKind) : IRunSession
    {
        // A process that is stopped for a while (Ctrl-Z, a laptop's lid) finds its calls timed out when it goes on. Its store is its own
        // disk: what fails there ends the command.
        readonly CallPatience _patience = new(PassingErrors.OfSilos, TimeProvider.System);

        public Task<string> Fault { get; } = DescribeAsync(silo.Fault);

        public Uri? Dashboard => silo.Dashboard;

        public TensorStore Store => silo.Store;

        public string DeviceKind => deviceKind;

        public IReadOnlyList<DeviceUse> DeviceUses => silo.DeviceUses;

        public Task<SweepStatus> SubmitAsync(SweepPlan plan) => _patience.AskAsync(
            () =>
            {
                Requester.Send(Requester.OfProcess);
                return silo.SubmitAsync(plan);
            },
            CancellationToken.None);

        public Task TellMetricsAsync(string sweepId, RunNumbers numbers) =>
            silo.Grains.GetGrain<ISweepGrain>(sweepId).MetricsAsync(numbers);

        public Task LookAgainAsync(string sweepId, string stageKey, RowRange rows) =>
            _patience.AskAsync(() => silo.Grains.GetGrain<ISweepGrain>(sweepId).LookAgainAsync(stageKey, rows), CancellationToken.None);

        public IAsyncEnumerable<SweepStatus> WatchAsync(string sweepId, long sinceVersion, CancellationToken cancellationToken) =>
            _patience.WatchAsync(silo.Grains.GetGrain<ISweepGrain>(sweepId), sinceVersion, cancellationToken);

        public async Task ForgetAsync(SweepPlan plan, CancellationToken cancellationToken)
        {
            foreach (var stage in plan.Stages)
                await silo.ForgetAsync(stage.Key, cancellationToken);
        }

        public string? OnInterrupt => "Interrupted: running segments end and their checkpoints are written. A second signal ends at once.";

        public Task DrainAsync(TimeSpan patience) => silo.DrainAsync(patience);

        public async ValueTask DisposeAsync()
        {
            silo.RememberSpeeds();
            await silo.DisposeAsync();
        }

        static async Task<string> DescribeAsync(Task<Exception> fault) => (await fault).Message;
    }
}
