using Taba.Simulation.Checks;
using Taba.Simulation.Cluster;
using Taba.Simulation.Scenarios;
using Taba.Simulation.Scheduling;
using Taba.Simulation.Work;

namespace Taba.Simulation;

/// <summary>One run: a cluster, its users and its misfortunes, all drawn from a seed.</summary>
sealed class SimRun
{
    /// <summary>What has ended is forgotten by all within this time.</summary>
    static readonly TimeSpan s_forgotten = TimeSpan.FromSeconds(90);

    readonly Scenario _scenario;
    readonly ulong _seed;
    readonly bool _withoutBad;
    bool _over;

    SimRun(Scenario scenario, ulong seed, bool records, bool withoutBad = false)
    {
        (_scenario, _seed, _withoutBad) = (scenario, seed, withoutBad);
        World = new(seed ^ Hash.Of(scenario.Name), records);
        var settings = scenario.Tune(Random, Settings.Drawn(Random));
        Cluster = new(World, settings);
        Store = new(Cluster);
    }

    public World World { get; }

    public Rng Random => World.Random;

    public SimCluster Cluster { get; }

    public StoreWatch Store { get; }

    /// <summary>Runs a seed on a thread of its own.</summary>
    public static RunResult Of(Scenario scenario, ulong seed, bool records = false)
    {
        RunResult? result = null;
        var thread = new Thread(
            () =>
            {
                var run = new SimRun(scenario, seed, records);
                result = run.Run();
                if (scenario.BadMachine != Trouble.None && result.Broken is null)
                    result = result.NotMuchSlowerThan(new SimRun(scenario, seed, records: false, withoutBad: true).Run(), run.World);
            },
            maxStackSize: 16 << 20);
        thread.Start();
        thread.Join();
        return result!;
    }

    /// <summary>Something is to happen as long as things go wrong.</summary>
    public void Later(TimeSpan after, Action action) => World.After(after, null, () =>
    {
        if (!_over)
            action();
    });

    /// <summary>A machine that works, and not the only one.</summary>
    public Machine AMachine() => Random.Pick(Cluster.Machines.Where(m => !m.IsCoordinator).ToList());

    /// <summary>Makes one sample of one stage poison.</summary>
    public void Poison(bool kills)
    {
        var stage = Random.Pick(Random.Pick(Cluster.Facts.Intents).Plan.Stages.Where(s => s.Spec.HasSteps).ToList());
        Cluster.Facts.Know(new Poison(
            stage.Key, Random.Between(stage.Rows.Start, stage.Rows.End - 1),
            Random.Between(stage.Spec.FirstStep, stage.Spec.NumInferenceSteps - 1), kills));
    }

    RunResult Run()
    {
        TimeSpan? ended = null;
        try
        {
            Begin();
            var lasts = Random.Seconds(_scenario.Lasts.From, _scenario.Lasts.To);
            Happen();
            // A bad machine is there until the end.
            World.Run(() => _scenario.BadMachine != Trouble.None && EndChecks.AllEnded(Cluster), lasts);
            Heal();
            ended = End();
        }
        catch (Exception exception)
        {
            World.Break("the simulation runs", exception.ToString());
        }
        foreach (var silo in Cluster.Running.ToList())
            silo.Die();
        return new(_seed, _scenario.Name, World.Broken, World.Trace, World.Elapsed, World.Steps, ended);
    }

    void Begin()
    {
        // Wall clocks of silos are set when they start.
        var plans = new Plans(Random, Cluster.Settings);
        var users = new List<Action>();
        foreach (var number in Enumerable.Range(0, Random.Between(_scenario.Sweeps.From, _scenario.Sweeps.To)))
        {
            var intent = Cluster.Facts.Know(plans.Next(number));
            var alone = _scenario.UsersLeave ? Leaves.Alone : Leaves.Running;
            var leaves = _scenario.Steers ? Random.OneOf(Leaves.Running, alone, Leaves.Paused, Leaves.Cancelled) : Leaves.Running;
            var acts = _scenario.Steers ? Random.Below(4) : 0;
            var after = Random.Seconds(3, 15);
            users.Add(() => Cluster.Client.OffGrain(() => new User(Cluster, intent).RunAsync(after, acts, leaves)).Ignore());
        }
        _scenario.Begins?.Invoke(this);
        if (_scenario.NeverIdle)
        {
            var endless = Cluster.Facts.Know(plans.Endless());
            users.Add(() => Cluster.Client.OffGrain(new User(Cluster, endless).KeepBusyAsync).Ignore());
        }
        if (_scenario.BadMachine != Trouble.None)
        {
            var bad = AMachine();
            (bad.Trouble, bad.IsOff) = (_scenario.BadMachine, _withoutBad);
        }
        Cluster.Facts.WatchesIntents = _scenario.WatchesIntents;
        foreach (var machine in Cluster.Machines)
            machine.Start();
        foreach (var user in users)
            user();
    }

    /// <summary>The next event, and those after it.</summary>
    void Happen()
    {
        if (_scenario.Events.Count > 0)
            Later(Random.Seconds(_scenario.Every.From, _scenario.Every.To), () =>
            {
                Random.Pick(_scenario.Events)(this);
                Happen();
            });
    }

    void Heal()
    {
        World.Note("all is well", null);
        _over = true;
        (Cluster.Network.Loss, Cluster.Network.Stalls, Cluster.Network.Delay) = (0, 0, TimeSpan.FromMilliseconds(1));
        (Cluster.States.Failures, Cluster.Objects.Failures, Cluster.Objects.Stalls) = (0, 0, 0);
        Cluster.Network.Heal();
        foreach (var machine in Cluster.Machines)
        {
            machine.Slowness = 1;
            if (machine.Silo is { State: ProcessState.Frozen } silo)
                Events.Thaw(this, silo);
            if (!_withoutBad || machine.Trouble == Trouble.None)
                Events.TurnOn(machine);
        }
    }

    /// <returns>When the last sweep ended; null when one did not.</returns>
    TimeSpan? End()
    {
        TimeSpan? ended = null;
        if (World.Run(() => EndChecks.AllEnded(Cluster), _scenario.EndsWithin))
        {
            ended = World.Elapsed;
            // What was only in memory does not count.
            World.After(TimeSpan.FromSeconds(5), null, () => Events.Collect(this));
            if (World.Run(() => EndChecks.StillKnown(Cluster) is null, s_forgotten))
                EndChecks.Require(Cluster, Store);
            else if (World.Broken is null)
                World.Break("what has ended is forgotten", EndChecks.StillKnown(Cluster)!);
        }
        else if (World.Broken is null)
            World.Break("every sweep that runs ends", EndChecks.Waiting(Cluster));
        return ended;
    }
}
