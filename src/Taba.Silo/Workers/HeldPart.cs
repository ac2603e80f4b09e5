using Taba.Grains.Stages;

namespace Taba.Silo.Workers;

/// <summary>A part that this silo leased.</summary>
/// <param name="lease">The lease.</param>
/// <param name="answeredAt">When its stage gave it, a timestamp.</param>
sealed class HeldPart(PartLease lease, long answeredAt)
{
    long _answeredAt = answeredAt;
    volatile bool _hasBegun;

    public PartLease Lease { get; } = lease;

    /// <summary>When its stage said last that it is ours, a timestamp.</summary>
    public long AnsweredAt
    {
        get => Volatile.Read(ref _answeredAt);
        set => Volatile.Write(ref _answeredAt, value);
    }

    /// <summary>Its grain has taken it. Before that the lease is as long as it was given.</summary>
    public bool HasBegun
    {
        get => _hasBegun;
        set => _hasBegun = value;
    }

    /// <summary>At the last look its grain did not run it. One loop of the keeper sets it.</summary>
    public bool WasMissing { get; set; }
}
