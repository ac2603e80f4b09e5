using Taba.Grains.Sweeps;
using Taba.Silo.Engines;
using Taba.Storage.Manifests;
using Taba.Storage.Objects;

namespace Taba.Client.Hosts;

/// <summary>A started system.</summary>
interface IRunSession : IAsyncDisposable
{
    /// <summary>Completes when the system cannot go on, with a sentence.</summary>
    Task<string> Fault { get; }

    /// <summary>Where a browser of this machine sees the run; null when it is shown nowhere.</summary>
    Uri? Dashboard { get; }

    /// <summary>Holds what was computed.</summary>
    TensorStore Store { get; }

    /// <summary>The kind of device that computes, for manifests.</summary>
    string DeviceKind { get; }

    /// <summary>What this machine's devices did for the run; none where a cluster's did.</summary>
    IReadOnlyList<DeviceUse> DeviceUses => [];

    Task<SweepStatus> SubmitAsync(SweepPlan plan);

    /// <summary>Tells a stage that some of its rows cannot be read, so that it asks the store what it has of them.</summary>
    Task LookAgainAsync(string sweepId, string stageKey, RowRange rows);

    /// <summary>Tells a sweep the numbers of a run folder. Asked once: it is not worth waiting for.</summary>
    Task TellMetricsAsync(string sweepId, RunNumbers numbers);

    IAsyncEnumerable<SweepStatus> WatchAsync(string sweepId, long sinceVersion, CancellationToken cancellationToken);

    /// <summary>Forgets what the store holds of the plan's stages.</summary>
    Task ForgetAsync(SweepPlan plan, CancellationToken cancellationToken);

    /// <summary>What is said as soon as the user interrupts, while running segments end; null when nothing runs here.</summary>
    string? OnInterrupt { get; }

    /// <summary>The last sentence after an interrupt; null when all that is to be said is that the same command goes on.</summary>
    string? AfterInterrupt(SweepPlan plan) => null;

    /// <summary>Finishes running segments and makes their checkpoints durable.</summary>
    Task DrainAsync(TimeSpan patience);
}
