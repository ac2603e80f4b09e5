using Taba.Simulation.Cluster;
using Taba.Simulation.Scheduling;
using Taba.Simulation.Storage;
using Taba.Storage.Manifests;

namespace Taba.Simulation.Scenarios;

/// <summary>What can go wrong, each as one event.</summary>
static class Events
{
    public static void KillWorker(SimRun run) => Kill(run, run.Cluster.Running.Where(s => !s.Machine.IsCoordinator).ToList());

    public static void KillAny(SimRun run) => Kill(run, run.Cluster.Running.ToList());

    public static void KillAll(SimRun run)
    {
        foreach (var silo in run.Cluster.Running.ToList())
            silo.Machine.Ended(silo, "all are killed");
    }

    /// <summary>A machine is off for a while.</summary>
    public static void TurnOff(SimRun run)
    {
        if (run.Cluster.Running.ToList() is not { Count: > 1 } silos)
            return;
        var machine = run.Random.Pick(silos).Machine;
        machine.IsOff = true;
        machine.Ended(machine.Silo!, "its machine is off");
        run.Later(run.Random.Seconds(5, 40), () => TurnOn(machine));
    }

    public static void TurnOn(Machine machine)
    {
        machine.IsOff = false;
        machine.Start();
    }

    /// <summary>A silo is stopped; the others declare it dead if it lasts, and it goes on without knowing.</summary>
    public static void Freeze(SimRun run)
    {
        if (run.Cluster.Running.Where(s => s.Runs).ToList() is not { Count: > 0 } silos)
            return;
        var silo = run.Random.Pick(silos);
        run.World.Note("freezes", silo);
        silo.Freeze();
        var noticed = run.Cluster.Settings.DetectAfter(run.Random);
        run.Later(noticed, () =>
        {
            if (silo.State == ProcessState.Frozen)
                run.Cluster.Membership.Set(silo, SiloStatus.Dead);
        });
        run.Later(run.Random.Seconds(0.5, 30), () => Thaw(run, silo));
    }

    public static void Thaw(SimRun run, SimSilo silo)
    {
        if (silo.State != ProcessState.Frozen)
            return;
        run.World.Note("goes on", silo);
        silo.Thaw();
        // It reads the table of members sooner or later.
        run.World.After(run.Random.Seconds(0.5, 5), silo, silo.View.Update);
    }

    /// <summary>Two silos do not hear each other; when it lasts, the one with fewer friends is declared dead.</summary>
    public static void Part(SimRun run)
    {
        if (run.Cluster.Running.ToList() is not { Count: > 1 } silos)
            return;
        var (one, other) = (run.Random.Pick(silos), run.Random.Pick(silos));
        if (one == other)
            return;
        run.World.Note("parted", one, other.Name);
        run.Cluster.Network.Cut(one, other, holds: run.Random.Chance(0.5));
        if (run.Random.Chance(0.5))
            run.Later(run.Cluster.Settings.DetectAfter(run.Random), () =>
            {
                if (run.Cluster.Network.IsCut(one, other) && one.State != ProcessState.Dead)
                    run.Cluster.Membership.Set(one, SiloStatus.Dead);
            });
        run.Later(run.Random.Seconds(1, 25), run.Cluster.Network.Heal);
    }

    public static void Lossy(SimRun run)
    {
        run.Cluster.Network.Loss = run.Random.OneOf(0.002, 0.02, 0.1);
        run.Cluster.Network.Stalls = run.Random.OneOf(0, 0.01, 0.1);
        run.Later(run.Random.Seconds(1, 15), () => (run.Cluster.Network.Loss, run.Cluster.Network.Stalls) = (0, 0));
    }

    /// <summary>Messages are late, and in another order, but come.</summary>
    public static void Slow(SimRun run)
    {
        run.Cluster.Network.Delay = run.Random.Seconds(0.001, 0.8);
        run.Later(run.Random.Seconds(1, 15), () => run.Cluster.Network.Delay = TimeSpan.FromMilliseconds(1));
    }

    public static void DatabaseFails(SimRun run)
    {
        run.Cluster.States.Failures = run.Random.OneOf(0.05, 0.3, 1);
        run.Later(run.Random.Seconds(0.5, 12), () => run.Cluster.States.Failures = 0);
    }

    public static void DatabaseForgets(SimRun run)
    {
        run.World.Note("database forgets", null);
        run.Cluster.States.LoseSince(run.Random.Seconds(0.1, 1.5));
    }

    public static void StoreFails(SimRun run)
    {
        run.Cluster.Objects.Failures = run.Random.OneOf(0.01, 0.1, 1);
        run.Later(run.Random.Seconds(0.5, 12), () => run.Cluster.Objects.Failures = 0);
    }

    public static void StoreStalls(SimRun run)
    {
        run.Cluster.Objects.Stalls = run.Random.OneOf(0.02, 0.2, 0.9);
        run.Later(run.Random.Seconds(0.5, 12), () => run.Cluster.Objects.Stalls = 0);
    }

    /// <summary>Orleans puts grains away that nobody uses.</summary>
    public static void Collect(SimRun run)
    {
        foreach (var activation in run.Cluster.Running.SelectMany(s => s.Activations.Values).Where(a => a.IsIdle).ToList())
            activation.Deactivate("collected");
    }

    /// <summary>One byte of a published object is another one.</summary>
    public static void DamageObject(SimRun run)
    {
        var named = run.Store.Cells.Values.SelectMany(c => c.Manifests).SelectMany(m => m.Objects).Select(o => o.Path)
            .Where(p => run.Cluster.Objects.Find(p) is { Length: > 0 }).Order(StringComparer.Ordinal).ToList();
        if (named.Count == 0)
            return;
        var name = run.Random.Pick(named);
        var bytes = run.Cluster.Objects.Find(name)!.ToArray();
        bytes[run.Random.Below(bytes.Length)] ^= 0x10;
        run.World.Note("damaged", null, name);
        run.Cluster.Facts.Damaged.Add(name);
        run.Cluster.Objects.Damage(name, bytes);
    }

    /// <summary>The newest version of a cell is cut off.</summary>
    public static void DamageCell(SimRun run)
    {
        // One that was cut off before may be empty.
        var cells = run.Cluster.Objects.Names
            .Where(n => n.Contains("/cells/", StringComparison.Ordinal) && run.Cluster.Objects.Find(n) is { Length: > 0 }).ToList();
        if (cells.Count == 0)
            return;
        var name = run.Random.Pick(cells);
        var key = name.Split('/')[1];
        if (!StoreNames.TryParseVersion(key, name, out var start, out _))
            return;
        run.World.Note("damaged", null, name);
        run.Cluster.Facts.Damaged.Add(name);
        run.Store.CellDamaged(key, start);
        var bytes = run.Cluster.Objects.Find(name)!;
        run.Cluster.Objects.Damage(name, bytes[..run.Random.Below(bytes.Length)]);
    }

    static void Kill(SimRun run, List<SimSilo> silos)
    {
        if (silos.Count > 0 && run.Random.Pick(silos) is var silo)
            silo.Machine.Ended(silo, "it is killed");
    }
}
