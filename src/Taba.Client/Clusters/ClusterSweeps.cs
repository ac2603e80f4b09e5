using System.Collections.Immutable;
using Taba.Client.Hosts;
using Taba.Client.Progress;
using Taba.Grains;
using Taba.Grains.Dispatch;
using Taba.Grains.Silos;
using Taba.Grains.Sweeps;
using Taba.Silo.Clusters;

namespace Taba.Client.Clusters;

/// <summary>The sweeps of a cluster, for commands that look at them or steer them.</summary>
sealed class ClusterSweeps : IAsyncDisposable
{
    readonly ClusterConnection _connection;
    static readonly TimeSpan s_patience = TimeSpan.FromSeconds(3);

    readonly ClusterPatience _patience;
    readonly TimeProvider _time;

    ClusterSweeps(TabaClusterOptions options, ClusterConnection connection, Terminal terminal) =>
        (Options, _connection, _patience, _time) = (options, connection, new(options.Name, terminal), terminal.Time);

    public TabaClusterOptions Options { get; }

    public IGrainFactory Grains => _connection.Grains;

    /// <param name="name">Null for the only cluster, or the default one.</param>
    /// <exception cref="BadInputException">The settings name no such cluster.</exception>
    /// <exception cref="RunFailedException">It does not answer.</exception>
    public static async Task<ClusterSweeps> OpenAsync(string? name, Terminal terminal, CancellationToken cancellationToken)
    {
        var options = ClusterSettings.Read(SettingsFiles.Read(), name);
        try
        {
            return new(options, await ClusterConnection.OpenAsync(options, cancellationToken), terminal);
        }
        catch (ClusterUnreachableException exception)
        {
            throw new RunFailedException(exception.Message, exception) { Begun = false };
        }
    }

    /// <summary>Live ones first, then those that ended last.</summary>
    public async Task<ImmutableArray<SweepEntry>> AllAsync(CancellationToken cancellationToken)
    {
        var all = ImmutableArray.CreateBuilder<SweepEntry>();
        var known = new HashSet<string>();
        // A sweep that begins or ends meanwhile moves the others by one.
        for (var from = 0; ; from += SweepPage.MostEntries)
        {
            var page = await AskAsync(
                async () => await Grains.GetGrain<ISweepIndexGrain>(0).GetPageAsync(from, SweepPage.MostEntries), cancellationToken);
            all.AddRange(page.Entries.Where(s => known.Add(s.SweepId)));
            if (from + page.Entries.Length >= page.Total || page.Entries.IsEmpty)
                return all.ToImmutable();
        }
    }

    public async Task<ImmutableArray<SiloInfo>> SilosAsync(CancellationToken cancellationToken) =>
        await AskAsync(async () => await Grains.GetGrain<ISilosGrain>(0).GetAsync(), cancellationToken);

    /// <summary>How the silos fare, by their addresses; empty where nobody says.</summary>
    public async Task<IReadOnlyDictionary<string, SiloStanding>> FleetAsync(CancellationToken cancellationToken)
    {
        var standings = new Dictionary<string, SiloStanding>();
        for (var from = 0; ; from += FleetView.MostSilos)
        {
            if (await TryAsync(() => Grains.GetGrain<IFleetGrain>(0).GetAsync(new(from, FleetView.MostSilos)), cancellationToken)
                is not { } view)
                return standings;
            foreach (var silo in view.Silos)
                standings[silo.Fare.Silo.Worker] = silo;
            if (from + view.Silos.Length >= view.Total || view.Silos.IsEmpty)
                return standings;
        }
    }

    /// <summary>What is known of why stages of a sweep wait, as far as those answer who know.</summary>
    public async Task<WaitKnowledge> WaitsAsync(string sweepId, CancellationToken cancellationToken)
    {
        var standing = TryAsync(() => Grains.GetGrain<IDispatcherGrain>(0).GetStandingAsync(new([sweepId], [])), cancellationToken);
        var fleet = TryAsync(() => Grains.GetGrain<IFleetGrain>(0).GetAsync(new(0, 0)), cancellationToken);
        return new(await standing, (await fleet)?.DevicesWorking);
    }

    /// <summary>An answer that is not worth waiting for; null when it does not come.</summary>
    async Task<T?> TryAsync<T>(Func<ValueTask<T>> ask, CancellationToken cancellationToken)
        where T : class
    {
        try
        {
            return await ask().AsTask().WaitAsync(s_patience, _time, cancellationToken);
        }
        catch (Exception) when (!cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }

    /// <summary>The sweep that a user means: an id, the beginning of one, or the name of a sweep.</summary>
    /// <exception cref="BadInputException">None or several are meant.</exception>
    public async Task<SweepEntry> FindAsync(string wanted, CancellationToken cancellationToken)
    {
        var all = await AllAsync(cancellationToken);
        var found = all.RemoveAll(s => s.SweepId != wanted);
        if (found.IsEmpty)
            found = all.RemoveAll(s => !s.SweepId.StartsWith(wanted, StringComparison.Ordinal));
        if (found.IsEmpty)
            found = all.RemoveAll(s => s.Name != wanted);
        return found switch
        {
            [var one] => one,
            [] => throw new BadInputException(
                $"Cluster {Options.Name} has no sweep '{wanted}': taba list --cluster {Options.Name} names those it has."),
            _ => throw new BadInputException(
                $"'{wanted}' means {found.Length} sweeps ({string.Join(", ", found.Select(s => s.SweepId))}): give more of the id."),
        };
    }

    /// <exception cref="BadInputException">The list has the sweep, and its plan is gone with a database that lost it.</exception>
    public async Task<SweepPlan> PlanAsync(SweepEntry sweep, CancellationToken cancellationToken) =>
        await AskAsync(async () => await Grains.GetGrain<ISweepGrain>(sweep.SweepId).GetPlanAsync(), cancellationToken)
            ?? throw new BadInputException(
                $"Cluster {Options.Name} lists sweep {sweep.SweepId} ({sweep.Name}), and has lost its plan: the command that submitted it, "
                + "given again, goes on from what is in the store.");

    /// <summary>Asks until there is an answer: a silo may be dying just now.</summary>
    public Task<T> AskAsync<T>(Func<Task<T>> ask, CancellationToken cancellationToken) => _patience.AskAsync(ask, cancellationToken);

    public ValueTask DisposeAsync() => _connection.DisposeAsync();
}
