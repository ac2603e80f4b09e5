using System.CommandLine;
using Taba.Client.Clusters;
using Taba.Client.Hosts;
using Taba.Grains.Sweeps;
using Taba.Silo.Clusters;
using Taba.Silo.Outputs;
using Taba.Storage.Manifests;
using Taba.Storage.Objects;
using Taba.Storage.RunFolders;

namespace Taba.Client.Commands;

/// <summary>The flags that say which store is meant.</summary>
sealed class StoreFlags
{
    readonly Option<string> _out = Flags.WithDefault("out", OutputFlags.DefaultOut, "The folder that holds the store (.taba).");
    readonly Option<string?> _cluster = Flags.Of<string?>("cluster", "A cluster of the settings: its store, a folder or a container.");
    readonly Option<bool> _json = Flags.Switch("json", "Machine-readable lines, no colours.");

    public void AddTo(Command command)
    {
        command.Options.Add(_out);
        command.Options.Add(_cluster);
        command.Options.Add(_json);
    }

    public bool Json(ParseResult parsed) => parsed.GetValue(_json);

    /// <summary>Opens the store for a command, and gives it up afterwards.</summary>
    /// <exception cref="BadInputException">There is none, or another version made it.</exception>
    /// <exception cref="RunFailedException">It cannot be reached.</exception>
    public async Task<int> WithAsync(
        ParseResult parsed, CommandServices services, Func<StoreTarget, Task<int>> work, CancellationToken interrupted)
    {
        try
        {
            await using var target = await OpenAsync(parsed, services, interrupted);
            return await work(target);
        }
        catch (Exception exception) when (exception is StoreBusyException or StoreException)
        {
            throw new RunFailedException(exception.Message, exception);
        }
    }

    async Task<StoreTarget> OpenAsync(ParseResult parsed, CommandServices services, CancellationToken interrupted)
    {
        if (parsed.GetValue(_cluster) is not { } cluster)
            return await StoreTarget.OfFolderAsync(parsed.GetValue(_out)!, services.CommandLine, interrupted);
        if (parsed.IsGiven(_out))
            throw new BadInputException("--out and --cluster name two stores: give one.");
        return await StoreTarget.OfClusterAsync(cluster, services.Terminal, interrupted);
    }
}

/// <summary>A store, and who uses its stages.</summary>
abstract class StoreTarget(IObjectStore objects) : IAsyncDisposable
{
    const string StoreName = ".taba";

    /// <summary>The place, for people.</summary>
    public string Place => objects.Place;

    public static async Task<StoreTarget> OfFolderAsync(string root, string commandLine, CancellationToken interrupted)
    {
        var folder = Path.Combine(root, StoreName);
        if (!Directory.Exists(folder))
            throw new BadInputException($"There is no store {folder}: give the folder that holds it with --out.");
        var objects = new FolderObjects(folder);
        await StoreLayout.RequireAsync(objects, interrupted);
        return new OfFolder(objects, root, commandLine);
    }

    /// <summary>The store alone is asked: a cluster whose silos are all down has one too.</summary>
    public static async Task<StoreTarget> OfClusterAsync(string cluster, Terminal terminal, CancellationToken interrupted)
    {
        var options = ClusterSettings.Read(SettingsFiles.Read(), cluster);
        if (options.StoreContainer is null && !Directory.Exists(options.Store))
            throw new BadInputException($"The store of cluster {options.Name} is {options.Store}, and that is no folder here: mount it.");
        var scratch = Path.Combine(PrivateFolder.Take(), $"{options.Name}-store-{Guid.NewGuid():N}");
        var objects = ClusterStores.Open(options, scratch);
        try
        {
            await StoreLayout.RequireAsync(objects, interrupted);
        }
        catch
        {
            (objects as IDisposable)?.Dispose();
            throw;
        }
        return new OfCluster(objects, options, scratch, terminal);
    }

    /// <param name="mends">False for a command that writes nothing.</param>
    public TensorStore Store(bool mends) => new(objects, mends: mends);

    /// <summary>Keys of stages, and what uses them: run folders, and sweeps that live.</summary>
    /// <exception cref="BadInputException">A run folder's manifest cannot be read, and nobody knows what it needs.</exception>
    public abstract Task<ILookup<string, string>> UsersAsync(CancellationToken interrupted);

    /// <summary>Keeps others from computing while stages are removed, where that is possible.</summary>
    /// <exception cref="StoreBusyException">Somebody computes.</exception>
    public abstract IDisposable? Lock();

    public ValueTask DisposeAsync()
    {
        (objects as IDisposable)?.Dispose();
        Clean();
        return ValueTask.CompletedTask;
    }

    /// <summary>Deletes what looking at the store left on this machine.</summary>
    protected virtual void Clean()
    {
    }

    /// <summary>The stages that the run folders below a folder show.</summary>
    static IEnumerable<(string Key, string User)> Runs(OutputFolder folder, string name)
    {
        if (RunFolder.Read(folder) is { } run)
        {
            foreach (var stage in run.Stages)
                yield return (stage.Key, name);
        }
        foreach (var below in folder.Folders().Where(f => !f.Place.EndsWith(StoreName, StringComparison.Ordinal)))
        {
            var last = below.Place[(below.Place.LastIndexOfAny(['/', Path.DirectorySeparatorChar]) + 1)..];
            foreach (var user in Runs(below, name.Length == 0 ? last : $"{name}/{last}"))
                yield return user;
        }
    }

    static ILookup<string, string> Lookup(IEnumerable<(string Key, string User)> users)
    {
        try
        {
            return users.Distinct().ToLookup(u => u.Key, u => u.User);
        }
        catch (InvalidDataException exception)
        {
            throw new BadInputException($"{exception.Message} Nobody knows which stages it needs, and nothing was changed.", exception);
        }
    }

    sealed class OfFolder(IObjectStore objects, string root, string commandLine) : StoreTarget(objects)
    {
        public override Task<ILookup<string, string>> UsersAsync(CancellationToken interrupted) =>
            Task.Run(() => Lookup(Runs(OutputFolder.At(root), "")), interrupted);

        public override IDisposable Lock() => StoreLock.Acquire(Path.Combine(root, StoreName), commandLine);
    }

    sealed class OfCluster(IObjectStore objects, TabaClusterOptions options, string scratch, Terminal terminal) : StoreTarget(objects)
    {
        readonly IObjectStore _objects = objects;

        public override async Task<ILookup<string, string>> UsersAsync(CancellationToken interrupted)
        {
            var users = new List<(string, string)>();
            await using (var sweeps = await ClusterSweeps.OpenAsync(options.Name, terminal, interrupted))
            {
                foreach (var live in (await sweeps.AllAsync(interrupted)).Where(s => s.Ended is null))
                {
                    var plan = await sweeps.AskAsync(
                        async () => await sweeps.Grains.GetGrain<ISweepGrain>(live.SweepId).GetPlanAsync(), interrupted);
                    users.AddRange((plan?.Stages ?? []).Select(s => (s.Key, $"sweep {live.Name}")));
                }
            }
            if (options.StoreContainer is not null)
                users.AddRange(await Task.Run(() => Runs(new OutputFolder(_objects, BlobPlace.Runs), "").ToList(), interrupted));
            return Lookup(users);
        }

        public override IDisposable? Lock() => null;

        protected override void Clean()
        {
            if (Directory.Exists(scratch))
                Directory.Delete(scratch, recursive: true);
        }
    }
}
