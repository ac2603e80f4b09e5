using Taba.Simulation.Cluster;
using Taba.Simulation.Scheduling;

namespace Taba.Simulation.Scenarios;

/// <summary>A family of runs: what is wrong from the beginning, what happens now and then, and for how long.</summary>
sealed record Scenario(string Name, string What)
{
    /// <summary>What the code must learn before this holds; null when it holds. The tests run only what holds.</summary>
    public string? WaitsFor { get; init; }

    /// <summary>Changes what is drawn.</summary>
    public Func<Rng, Settings, Settings> Tune { get; init; } = (_, settings) => settings;

    /// <summary>What is so from the beginning.</summary>
    public Action<SimRun>? Begins { get; init; }

    /// <summary>What happens now and then, one of these at a time.</summary>
    public IReadOnlyList<Action<SimRun>> Events { get; init; } = [];

    /// <summary>The time between two of them, in seconds.</summary>
    public (double From, double To) Every { get; init; } = (1, 8);

    /// <summary>How long they happen.</summary>
    public (double From, double To) Lasts { get; init; } = (10, 60);

    /// <summary>
    /// One machine is bad from the beginning to the end, and costs nobody more than its own work: the sweeps end in about the time that
    /// they take without that machine.
    /// </summary>
    public Trouble BadMachine { get; init; }

    /// <summary>After the last event every sweep that runs must end within this time.</summary>
    public TimeSpan EndsWithin { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Whether what users paused or cancelled is held against what workers begin; not where messages may be late.</summary>
    public bool WatchesIntents { get; init; }

    /// <summary>Whether users pause, cancel and retry.</summary>
    public bool Steers { get; init; } = true;

    /// <summary>Whether some of them do not look how it ends; not where even what was confirmed may be lost.</summary>
    public bool UsersLeave { get; init; } = true;

    /// <summary>Seeds in the tests: the whole takes a minute or so on two cores.</summary>
    public int SeedsInTests { get; init; } = 60;

    /// <summary>Another sweep keeps every machine busy until all of these have ended.</summary>
    public bool NeverIdle { get; init; }

    /// <summary>How many sweeps there are.</summary>
    public (int From, int To) Sweeps { get; init; } = (1, 3);
}
