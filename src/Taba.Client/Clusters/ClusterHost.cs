using Taba.Storage.RunFolders;
using Taba.Client.Hosts;
using Taba.Client.Planning;
using Taba.Diffusion.Native;
using Taba.Grains;
using Taba.Grains.Planning;
using Taba.Grains.Silos;
using Taba.Grains.Stages;
using Taba.Grains.Sweeps;
using Taba.Silo.Clusters;
using Taba.Silo.Devices;
using Taba.Silo.Engines;
using Taba.Silo.Inputs;
using Taba.Silo.Models;
using Taba.Silo.Outputs;
using Taba.Storage.Manifests;
using Taba.Storage.Objects;
using static TorchSharp.torch;

namespace Taba.Client.Clusters;

/// <summary>Plans here, has a cluster compute, and writes run folders from the cluster's store.</summary>
sealed class ClusterHost : IRunHost, IAsyncDisposable
{
    readonly TabaClusterOptions _options;
    readonly ClusterConnection _connection;
    readonly IObjectStore _objects;
    readonly DeviceChoice _device;
    readonly Terminal _terminal;

    ClusterHost(TabaClusterOptions options, ClusterConnection connection, IObjectStore objects, DeviceChoice device, Terminal terminal) =>
        (_options, _connection, _objects, _device, _terminal) = (options, connection, objects, device, terminal);

    /// <param name="job">Names the cluster.</param>
    /// <param name="deviceKind">The kind of device for which the job is planned already; null when the silos have to tell.</param>
    /// <exception cref="BadInputException">
    /// The settings name no such cluster, its silos would not agree on the numbers, or results cannot be where the job wants them.
    /// </exception>
    /// <exception cref="RunFailedException">It does not answer.</exception>
    public static async Task<ClusterHost> OpenAsync(
        RunJob job, Terminal terminal, CancellationToken cancellationToken, string? deviceKind = null)
    {
        var spec = job.Spec;
        if (spec.Overwrite)
            throw new BadInputException(
                "--overwrite does not go with --cluster: other sweeps may be reading what it would remove. Change the seed, or remove "
                + "the stages with `taba store` while no sweep runs.");
        if (spec.Device != "auto")
            throw new BadInputException($"device is {spec.Device}, and with --cluster each silo has its own: leave it out.");
        if (spec.NumProcesses > 1)
            throw new BadInputException(
                $"num_processes is {spec.NumProcesses}, and with --cluster each silo has its own devices: leave it out.");
        if (spec.Network is not null)
            throw new BadInputException(
                $"network is {spec.Network.ToString()!.ToLowerInvariant()}, and with --cluster each silo has its own setting "
                + "(Taba:Engine:Network): leave it out.");
        var options = ClusterSettings.Read(SettingsFiles.Read(), job.Cluster);
        var toBlobs = BlobPlace.Is(job.Folder);
        if (toBlobs && options.StoreContainer is null)
            throw new BadInputException(
                $"{job.Folder} means blobs beside the cluster's tensors, and the store of cluster {options.Name} is a folder "
                + $"({options.Store}): give a folder.");
        ClusterConnection connection;
        try
        {
            connection = await ClusterConnection.OpenAsync(options, cancellationToken);
        }
        catch (ClusterUnreachableException exception)
        {
            throw new RunFailedException(exception.Message, exception) { Begun = false };
        }
        try
        {
            var device = deviceKind is null
                ? DeviceOf(options, await WorkersAsync(options, connection, terminal, cancellationToken), spec)
                : new DeviceChoice(CPU, deviceKind);
            return new(options, connection, ClusterStores.Open(
                options, Path.Combine(PrivateFolder.Take(), $"{options.Name}-client"), copies: !toBlobs), device, terminal);
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    static async Task<IReadOnlyList<SiloInfo>> WorkersAsync(
        TabaClusterOptions options, ClusterConnection connection, Terminal terminal, CancellationToken cancellationToken)
    {
        var patience = new ClusterPatience(options.Name, terminal);
        var silos = await patience.AskAsync(
            async () => await connection.Grains.GetGrain<ISilosGrain>(0).GetAsync(), cancellationToken);
        return [.. silos.Where(s => s.Role == SiloRole.Worker)];
    }

    public SweepPlan Plan(SweepSpec spec, string storeRoot, bool remember = false)
    {
        InputPaths.RequirePresent(spec);
        TorchRuntime.Initialize();
        return new SweepPlanner(new ModelCatalogue(_device, null), new TensorInputFiles(), _device.Kind).Plan(spec);
    }

    public PlanOutline Outline(SweepSpec spec, string storeRoot)
    {
        TorchRuntime.Initialize();
        return OutlinePlanner.Of(spec, new ModelCatalogue(_device, null), _device.Kind);
    }

    public OutputFolder Output(string folder) =>
        BlobPlace.Is(folder) ? BlobPlace.At(_objects, folder) : OutputFolder.At(folder);

    public MeasuredSpeed? SpeedOf(StageSpec stage, SweepSpec spec, string storeRoot) => null;

    public async Task<IReadOnlyDictionary<string, RowSet>> StoredRowsAsync(
        SweepPlan plan, string storeRoot, CancellationToken cancellationToken)
    {
        var rows = new Dictionary<string, RowSet>();
        var patience = new ClusterPatience(_options.Name, _terminal);
        foreach (var stage in plan.Stages)
        {
            // From the stage's state: to read the cells of a million rows would take longer than to answer.
            var grain = _connection.Grains.GetGrain<IStageGrain>(StageAddress.GrainKey(stage.Key));
            rows[stage.Key] = (await patience.AskAsync(async () => await grain.GetPublishedAsync(stage.Keep), cancellationToken))
                .Intersect(stage.Rows);
        }
        return rows;
    }

    public Task<IRunSession> StartAsync(RunJob job, CancellationToken cancellationToken)
    {
        var store = new TensorStore(_objects);
        // No silo's log has what this process finds.
        store.Damaged += (where, fault) => _terminal.Say(
            $"The cell {where} is damaged, and what can be read of it counts: {fault}");
        return Task.FromResult<IRunSession>(
            new ClusterSession(_connection.Grains, store, _device.Kind, _options.Name, job.CommandLine, _terminal));
    }

    public ValueTask DisposeAsync()
    {
        (_objects as IDisposable)?.Dispose();
        return _connection.DisposeAsync();
    }

    /// <summary>The kind of device for which to plan: all workers must have it where numbers depend on it.</summary>
    static DeviceChoice DeviceOf(TabaClusterOptions options, IReadOnlyList<SiloInfo> workers, SweepSpec spec)
    {
        if (workers.Count == 0)
        {
            throw new RunFailedException(
                $"cluster {options.Name} has no worker: start one with `Taba.Silo --cluster {options.Name}`")
            { Begun = false };
        }
        var kinds = workers.GroupBy(s => s.DeviceKind).ToList();
        var depends = spec.Deterministic || spec.Precision.Network is null || spec.Precision.State is null;
        if (kinds.Count > 1 && depends)
        {
            throw new BadInputException(
                $"The silos of cluster {options.Name} have different devices "
                + $"({string.Join("; ", kinds.Select(k => $"{k.Key}: {string.Join(", ", k.Select(s => s.Name))}"))}), and "
                + (spec.Deterministic ? "--deterministic means one kind" : "auto precision means another on each")
                + ": give --dtype and --state_dtype, or use silos of one kind.");
        }
        return new(kinds[0].Key.StartsWith("cuda", StringComparison.Ordinal) ? new Device("cuda:0") : CPU, kinds[0].Key);
    }
}
