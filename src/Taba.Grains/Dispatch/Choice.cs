using Taba.Grains.Sweeps;

namespace Taba.Grains.Dispatch;

/// <summary>A stage to ask for parts.</summary>
/// <param name="SweepId">The sweep for which it is asked.</param>
/// <param name="Rows">Rows that the worker has room for.</param>
/// <param name="Reserved">Rows of the stage that nobody else is sent for meanwhile.</param>
/// <param name="FreshRow">A row whose inputs the worker has at hand.</param>
sealed record Choice(BoardStage Stage, string SweepId, int Rows, int Reserved, int? FreshRow);

/// <summary>A stage as the dispatcher knows it.</summary>
/// <param name="offer">What it said last.</param>
/// <param name="heardAt">When it said it, a timestamp.</param>
/// <param name="before">The stage as it was before it said this.</param>
sealed class BoardStage(StageOffer offer, long heardAt, BoardStage? before)
{
    public StageOffer Offer { get; } = offer;

    public long HeardAt { get; } = heardAt;

    /// <summary>For each sweep the rows that could be computed now, as far as known.</summary>
    public Dictionary<string, int> Ready { get; } = [];

    /// <summary>Workers that it had nothing for since it said this.</summary>
    public HashSet<(string Worker, string SweepId)> EmptyFor { get; } = [];

    public Dictionary<string, (long At, TimeSpan Length, string Reason)> PausedSince { get; } = [];

    /// <summary>What this activation of it was told of workers that cannot serve its model.</summary>
    public Dictionary<string, string> Refusals { get; } =
        before is not null && before.Offer.Version.Activation == offer.Version.Activation ? before.Refusals : [];

    /// <summary>What it said of a sweep's rows; null when it is not for that sweep.</summary>
    public OfferedRows? Of(string sweepId)
    {
        foreach (var rows in Offer.Rows)
        {
            if (rows.SweepId == sweepId)
                return rows;
        }
        return null;
    }

    /// <summary>Questions in a row that it did not answer. That it speaks does not say that it answers.</summary>
    public int Failures { get; set; } = before?.Failures ?? 0;

    /// <summary>The last error of such a question.</summary>
    public string Silence { get; set; } = before?.Silence ?? "";

    /// <summary>It says that a store is away.</summary>
    public bool SilenceOfStore { get; set; } = before?.SilenceOfStore ?? false;

    public long FailedAt { get; set; } = before?.FailedAt ?? 0;

    public TimeSpan Pause { get; set; } = before?.Pause ?? TimeSpan.Zero;
}

/// <summary>A live sweep as the dispatcher knows it. Their order is that in which they are served.</summary>
sealed class BoardSweep(SweepEntry entry) : IComparable<BoardSweep>
{
    public SweepEntry Entry { get; set; } = entry;

    /// <summary>Its place in the order of submission.</summary>
    public int Place { get; set; }

    /// <summary>Seconds of devices that were spent on it, or would have been, had it been here from the first.</summary>
    public double Cost { get; set; }

    /// <summary>Stages that have something for it, the deepest first.</summary>
    public SortedSet<(int NegativeDepth, string StageKey)> Stages { get; } = [];

    public int CompareTo(BoardSweep? other) => other is null ? 1
        : (-Entry.Priority, Cost, Place).CompareTo((-other.Entry.Priority, other.Cost, other.Place));
}
