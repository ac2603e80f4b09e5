using Taba.Simulation.Scheduling;

namespace Taba.Simulation.Cluster;

/// <summary>A machine, which outlives the silos that a supervisor starts on it; and what is wrong with it.</summary>
sealed class Machine
{
    int _generation;

    public Machine(SimCluster cluster, int index)
    {
        (Cluster, Index) = (cluster, index);
        IsCoordinator = index < cluster.Settings.Coordinators;
    }

    public SimCluster Cluster { get; }

    public int Index { get; }

    public bool IsCoordinator { get; }

    /// <summary>The silo that runs, or is stopped, now; null when none does.</summary>
    public SimSilo? Silo { get; private set; }

    public List<SimSilo> Past { get; } = [];

    /// <summary>Nobody starts a silo here.</summary>
    public bool IsOff { get; set; }

    public TimeSpan ClockOffset { get; set; }

    /// <summary>What fails here; see <see cref="Trouble"/>.</summary>
    public Trouble Trouble { get; set; }

    /// <summary>So many times slower than others.</summary>
    public double Slowness { get; set; } = 1;

    /// <summary>Attempts whose scratch files lie here.</summary>
    public HashSet<Guid> Scratch { get; } = [];

    public void Start()
    {
        if (Silo is not null || IsOff)
            return;
        foreach (var old in Past)
            Cluster.Membership.Set(old, SiloStatus.Dead);
        Silo = new(this, ++_generation);
        Silo.World.Note("starts", Silo);
        Silo.Begin();
    }

    /// <summary>Its silo ends, for whatever reason; another one is started after a while.</summary>
    public void Ended(SimSilo silo, string why)
    {
        if (Silo != silo)
            return;
        silo.World.Note("ends", silo, why);
        Silo = null;
        Past.Add(silo);
        silo.Die();
        silo.World.After(Cluster.Settings.DetectAfter(silo.World.Random), null, () => Cluster.Membership.Set(silo, SiloStatus.Dead));
        silo.World.After(silo.World.Random.Seconds(1, 6), null, Start);
    }
}

/// <summary>What works badly on one machine.</summary>
enum Trouble
{
    None,

    /// <summary>No room to write results.</summary>
    ScratchFull,

    /// <summary>A file that parts begin with is not there.</summary>
    InputMissing,

    /// <summary>The engine fails whatever it is given.</summary>
    EngineFault,

    /// <summary>The silo dies some time after it began with anything.</summary>
    DiesOfWork,
}
