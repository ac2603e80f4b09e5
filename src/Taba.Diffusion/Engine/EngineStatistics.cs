namespace Taba.Diffusion.Engine;

/// <summary>
/// The work and the holdings of an engine. Each number is exact; they are read one after another while the engine runs, so
/// sums over them may be off by a turn.
/// </summary>
public sealed record EngineStatistics
{
    /// <summary>Rows that went through the network, padding not counted.</summary>
    public required long Evaluations { get; init; }

    /// <summary>Turns with at least one forward pass.</summary>
    public required long Turns { get; init; }

    /// <summary>Rows of padding that went through the network.</summary>
    public required long PaddedRows { get; init; }

    /// <summary>Steps whose prediction or state was given, so that the network was not called.</summary>
    public required long SwappedSteps { get; init; }

    /// <summary>Times that the device ran out of memory.</summary>
    public required long OutOfMemory { get; init; }

    /// <summary>Trajectories that reached their last step.</summary>
    public required long Completed { get; init; }

    /// <summary>Trajectories that failed.</summary>
    public required long Failed { get; init; }

    /// <summary>Time within forward passes. On CUDA it includes the update, which runs in the same queue.</summary>
    public required TimeSpan NetworkTime { get; init; }

    /// <summary>Time of the turns outside the network: choosing, gathering, updating, scattering, handing over.</summary>
    public required TimeSpan OverheadTime { get; init; }

    /// <summary>Time that the engine waited for observers to take results.</summary>
    public required TimeSpan OutputWaitTime { get; init; }

    /// <summary>Time that forward passes short of rows waited for more (<see cref="EngineOptions.Linger"/>).</summary>
    public required TimeSpan LingerTime { get; init; }

    /// <summary>When the first forward pass began, as a timestamp of Stopwatch; 0 before it has ended.</summary>
    public required long FirstPassAt { get; init; }

    /// <summary>When the last forward pass ended, as a timestamp of Stopwatch; 0 before any.</summary>
    public required long LastPassAt { get; init; }

    /// <summary>Rows of the state tensor.</summary>
    public required int Slots { get; init; }

    /// <summary>Slots that a trajectory occupies.</summary>
    public required int SlotsInUse { get; init; }

    /// <summary>Opened trajectories that have no slot yet.</summary>
    public required int Pending { get; init; }

    /// <summary>Turns whose results wait for the observers.</summary>
    public required int OutputQueue { get; init; }

    /// <summary>The most rows of a forward pass at present.</summary>
    public required int BatchLimit { get; init; }
}
