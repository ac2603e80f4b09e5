using Taba.Client.Running;
using Taba.Grains.Sweeps;
using Taba.Silo.Engines;
using Taba.Silo.Outputs;
using Taba.Silo.Storage;

namespace Taba.Client.Embedded;

/// <summary>
/// The system that computes, as commands see it. One implementation holds a silo in this process, the other speaks to a cluster.
/// </summary>
interface IRunHost
{
    /// <summary>Resolves a sweep. Reads models and input files.</summary>
    /// <param name="remember">Digests of weights may be written down in a store that exists; otherwise nothing is written.</param>
    /// <exception cref="Taba.Grains.BadInputException">It cannot be run as asked.</exception>
    SweepPlan Plan(SweepSpec spec, string storeRoot, bool remember = false);

    /// <summary>The output that a job's folder names.</summary>
    IOutputFolder Output(string folder) => new DirectoryFolder(folder);

    /// <summary>
    /// The speed of a stage's network in earlier runs on this store, machine and kind of device; null when there were none.
    /// </summary>
    MeasuredSpeed? SpeedOf(StageSpec stage, SweepSpec spec, string storeRoot);

    /// <summary>Rows that a store holds already, by stage key. Empty when there is no store. Writes nothing.</summary>
    Task<IReadOnlyDictionary<string, RowSet>> StoredRowsAsync(SweepPlan plan, string storeRoot, CancellationToken cancellationToken);

    /// <summary>Starts the system that computes.</summary>
    /// <exception cref="RunFailedException">The store is held by another command, or cannot be used.</exception>
    Task<IRunSession> StartAsync(RunJob job, CancellationToken cancellationToken);
}

/// <summary>A started system.</summary>
interface IRunSession : IAsyncDisposable
{
    /// <summary>Completes when the system cannot go on, with a sentence.</summary>
    Task<string> Fault { get; }

    /// <summary>Holds what was computed.</summary>
    ITensorStore Store { get; }

    /// <summary>The kind of device that computes, for manifests.</summary>
    string DeviceKind { get; }

    Task<SweepStatus> SubmitAsync(SweepPlan plan);

    IAsyncEnumerable<SweepStatus> WatchAsync(string sweepId, long sinceVersion, CancellationToken cancellationToken);

    /// <summary>Forgets what the store holds of the plan's stages.</summary>
    Task ForgetAsync(SweepPlan plan, CancellationToken cancellationToken);

    /// <summary>The sentence that the user sees after an interrupt.</summary>
    string OnInterrupt { get; }

    /// <summary>Finishes running segments and makes their checkpoints durable.</summary>
    Task DrainAsync(TimeSpan patience);
}

/// <summary>A store or disk failed: one sentence, exit status 3, the same command continues.</summary>
sealed class RunFailedException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>True when work was begun, so that the same command continues it.</summary>
    public bool Begun { get; init; } = true;
}
