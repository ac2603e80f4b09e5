using Taba.Grains.Stages;
using Taba.Grains.Sweeps;
using Taba.Simulation.Cluster;
using Taba.Simulation.Work;

namespace Taba.Simulation.Checks;

/// <summary>What the run knows and the code under test does not: what is really wrong, and what users meant.</summary>
sealed class Facts(SimCluster cluster)
{
    /// <summary>A worker may begin with what a pause or a cancel was too late for: answers and lists are on their way so long.</summary>
    static readonly TimeSpan s_grace = TimeSpan.FromSeconds(3);

    readonly Dictionary<string, StageSpec> _stages = [];
    readonly List<Poison> _poison = [];
    readonly List<Intent> _intents = [];

    public IReadOnlyDictionary<string, StageSpec> Stages => _stages;

    public IReadOnlyList<Intent> Intents => _intents;

    public IReadOnlyList<Poison> Poisoned => _poison;

    /// <summary>Names of objects that the run damaged.</summary>
    public HashSet<string> Damaged { get; } = [];

    /// <summary>Evaluations that were begun, lost ones among them.</summary>
    public long Attempts { get; private set; }

    /// <summary>Whether what users mean is held against what workers do; not where messages may take any time.</summary>
    public bool WatchesIntents { get; set; }

    public void Know(StageSpec spec) => _stages[StageKey.Of(spec)] = spec;

    public void Know(Poison poison) => _poison.Add(poison);

    public Intent Know(SweepPlan plan)
    {
        foreach (var stage in plan.Stages)
            Know(stage.Spec);
        var intent = new Intent(plan);
        _intents.Add(intent);
        return intent;
    }

    public int StepsOf(string stageKey) => _stages[stageKey].NumInferenceSteps;

    public Poison? PoisonIn(string stageKey, int row, RowRange steps) =>
        _poison.FirstOrDefault(p => p.StageKey == stageKey && p.Row == row && steps.Start <= p.Step && p.Step < steps.End);

    public bool IsPoison(string stageKey, int row) => _poison.Any(p => p.StageKey == stageKey && p.Row == row);

    /// <summary>A part begins.</summary>
    public void Began(SimSilo silo, PartLease lease)
    {
        Attempts++;
        var (attempt, world) = (lease.Attempt, cluster.World);
        if (StageKey.Of(lease.Spec) != attempt.StageKey)
            world.Break("a lease's spec has its key", $"{attempt} has the spec of {StageKey.Of(lease.Spec)}");
        if (lease.Worker is { } worker && worker != silo.Worker)
            world.Break("a part runs on the silo that leased it", $"{attempt} of {worker} began on {silo.Name}");
        if (!CellGrid.IsWithinOne(lease.Rows))
            world.Break("a part lies in one cell", $"{attempt} has rows {lease.Rows}");
        if (lease.Spec.Measure is not null && lease.Rows.Count > 1)
            world.Break("what is measured goes block by block", $"{attempt} has blocks {lease.Rows}");
        if (!WatchesIntents)
            return;
        foreach (var wanted in _intents.Where(i => i.Wants(attempt.StageKey, lease.Rows)))
        {
            if (wanted.HeldSince is not { } since || world.Now - since < s_grace.Ticks)
                return;
        }
        world.Break(
            "what is only wanted by paused or cancelled sweeps is not handed out",
            $"{attempt} of {_stages[attempt.StageKey].Kind}, rows {lease.Rows}, began on {silo.Name}; "
            + $"wanted by {string.Join(", ", _intents.Where(i => i.Wants(attempt.StageKey, lease.Rows)).Select(i => i.Plan.SweepId))}");
    }

    /// <summary>Somebody read a row.</summary>
    public void Read(string stageKey, int row, int step, TensorKinds kind, byte[] bytes)
    {
        var expected = kind == TensorKinds.None ? Numbers.State(stageKey, row, step) : Numbers.Kept(stageKey, row, step, kind);
        if (!bytes.AsSpan().SequenceEqual(expected))
            cluster.World.Break("what is read is right", $"row {row} of {stageKey} before step {step} ({kind})");
    }
}

/// <summary>A sweep as its user means it.</summary>
sealed class Intent(SweepPlan plan)
{
    public SweepPlan Plan { get; set; } = plan;

    /// <summary>The cluster has confirmed at this time that it is paused or cancelled; null while it runs, or nobody knows.</summary>
    public long? HeldSince { get; set; }

    public bool IsCancelled { get; set; }

    public bool IsPaused { get; set; }

    /// <summary>The last status that the user saw.</summary>
    public SweepStatus? Seen { get; set; }

    /// <summary>Its user has done all that he meant to do.</summary>
    public bool ScriptEnded { get; set; }

    public bool HasEnded => Seen is { } seen && seen.State.Ends();

    public bool Wants(string stageKey, RowRange rows) =>
        Plan.Stages.Any(s => s.Key == stageKey && !s.Rows.Intersect(rows).IsEmpty);
}
