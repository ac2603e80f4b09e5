using Taba.Storage.RunFolders;
using Taba.Grains.Sweeps;
using Taba.Silo.Engines;
using Taba.Silo.Outputs;

namespace Taba.Client.Hosts;

/// <summary>
/// The system that computes, as commands see it. One implementation holds a silo in this process, the other speaks to a cluster.
/// </summary>
interface IRunHost
{
    /// <summary>Resolves a sweep. Reads models and input files.</summary>
    /// <param name="remember">Digests of weights may be written down in a store that exists; otherwise nothing is written.</param>
    /// <exception cref="BadInputException">It cannot be run as asked.</exception>
    SweepPlan Plan(SweepSpec spec, string storeRoot, bool remember = false);

    /// <summary>Resolves a sweep to be looked at, also where models are not here. Writes nothing.</summary>
    /// <exception cref="BadInputException">It cannot be run as asked.</exception>
    PlanOutline Outline(SweepSpec spec, string storeRoot) => new(Plan(spec, storeRoot), []);

    /// <summary>The output that a job's folder names.</summary>
    OutputFolder Output(string folder) => OutputFolder.At(folder);

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
