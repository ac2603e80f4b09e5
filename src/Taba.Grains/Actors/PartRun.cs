using Taba.Grains.Stages;

namespace Taba.Grains.Actors;

/// <summary>One attempt at a part, as its grain sees it.</summary>
sealed class PartRun(PartLease lease)
{
    public PartLease Lease { get; } = lease;

    public PartAttempt Attempt => Lease.Attempt;

    /// <summary>Samples whose trajectories have not ended.</summary>
    public HashSet<int> Running { get; } = [];

    public List<SampleFailure> Failures { get; } = [];

    public int Ended { get; set; }

    /// <summary>It had something to compute: not all of its rows were complete in the checkpoints of others.</summary>
    public bool Computes { get; set; }

    /// <summary>Cancelled when the attempt is given up.</summary>
    public CancellationTokenSource Stop { get; } = new();

    /// <summary>
    /// True while the workspace prepares or publishes. Whoever stops the attempt then must not touch its objects, for a manifest may be
    /// about to name them. They are discarded when the workspace is done.
    /// </summary>
    public bool InWorkspace { get; set; }
}
