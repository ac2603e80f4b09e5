using Taba.Simulation.Checks;
using Taba.Simulation.Cluster;

namespace Taba.Simulation.Scenarios;

/// <summary>The families of runs.</summary>
static class Scenarios
{
    static readonly TimeSpan s_long = TimeSpan.FromMinutes(90);

    public static IReadOnlyList<Scenario> All { get; } =
    [
        new("calm", "Nothing goes wrong; users steer.") { Events = [Events.Collect] },
        new("steering", "Nothing goes wrong; users pause and cancel, and nobody begins with what they do not want.")
        {
            WatchesIntents = true,
            Tune = (_, settings) => settings with { Slots = 8, BatchSize = 4, StepTime = TimeSpan.FromMilliseconds(400) },
            Events = [Events.Collect],
            Lasts = (60, 60),
            Sweeps = (2, 4),
        },
        new("network", "Messages are lost, late, repeated; silos do not hear each other for a while.")
        {
            Events = [Events.Lossy, Events.Slow, Events.Part, Events.Collect],
        },
        new("kills", "Workers are killed now and then; who coordinates lives.")
        {
            Tune = (_, settings) => settings with { Coordinators = 1, Machines = settings.Machines + 1 },
            Events = [Events.KillWorker, Events.KillWorker, Events.TurnOff, Events.Collect],
            Every = (4, 20),
        },
        KillsOfAll("kills-of-all", "All silos are killed again and again; long parts get on between the kills.") with { Every = (16, 30) },
        KillsOfAll("hasty-kills", "All silos are killed again and again; some lives are too short for anything to get on."),
        new("freezes", "Silos are stopped and go on.") { Events = [Events.Freeze, Events.Freeze, Events.Collect] },
        new("database", "The database of grain state fails, before or after it wrote.")
        {
            Events = [Events.DatabaseFails, Events.Collect, Events.KillWorker],
        },
        new("forgetful-database", "The database loses the last second, as Redis may.")
        {
            UsersLeave = false,
            Events = [Events.DatabaseForgets, Events.DatabaseFails, Events.Collect],
        },
        new("store", "The store fails or stalls, before or after it wrote.")
        {
            Events = [Events.StoreFails, Events.StoreStalls, Events.KillWorker, Events.Collect],
        },
        new("damage", "Published objects and cells are damaged.")
        {
            Events = [Events.DamageObject, Events.DamageCell, Events.Collect],
            Every = (2, 10),
        },
        new("clocks", "Wall clocks are a day ahead or behind.")
        {
            Begins = run =>
            {
                foreach (var machine in run.Cluster.Machines)
                    machine.ClockOffset = TimeSpan.FromDays(run.Random.OneOf(-1, 0, 1));
            },
            Events = [Events.KillAny, Events.Freeze, Events.Collect],
            Every = (8, 25),
        },
        new("slow-machine", "One machine is a hundred times slower.")
        {
            Begins = run => run.AMachine().Slowness = 100,
            Events = [Events.Collect],
            EndsWithin = s_long,
        },
        Bad("full-scratch", "One machine cannot write results.", Trouble.ScratchFull),
        Bad("missing-input", "One machine lacks a file that parts begin with.", Trouble.InputMissing),
        Bad("broken-engine", "One machine's engine fails whatever it is given.", Trouble.EngineFault),
        Bad("deadly-machine", "One machine's silo dies of all work.", Trouble.DiesOfWork),
        new("poison-kills", "One sample kills its silo.")
        {
            Begins = run => run.Poison(kills: true),
            Events = [Events.Collect],
            EndsWithin = s_long,
        },
        new("poison-fails", "One sample breaks its engine.")
        {
            Begins = run => run.Poison(kills: false),
            Events = [Events.Collect],
            EndsWithin = s_long,
        },
        Measured("measured", "Runs are measured in blocks; workers are killed, and the store fails.") with
        {
            Events = [Events.KillWorker, Events.StoreFails, Events.Collect],
        },
        Measured("measured-poison", "Runs are measured, but for what needs the one sample that breaks its engine.") with
        {
            Begins = run => run.Poison(kills: false),
            EndsWithin = s_long,
        },
        new("poison-never-idle", "One sample kills its silo or its engine, on a cluster on which no machine is ever idle.")
        {
            Begins = run => run.Poison(kills: run.Random.Chance(0.5)),
            Events = [Events.Collect],
            NeverIdle = true,
            SeedsInTests = 20,
            Steers = false,
        },
        new("everything", "All that must not matter, together.")
        {
            Events =
            [
                Events.Lossy, Events.Slow, Events.Part, Events.KillAny, Events.TurnOff, Events.Freeze, Events.DatabaseFails,
                Events.StoreFails, Events.StoreStalls, Events.Collect,
            ],
            Lasts = (20, 120),
            EndsWithin = s_long,
        },
    ];

    public static Scenario Of(string name) => All.FirstOrDefault(s => s.Name == name)
        ?? throw new BadInputException($"There is no scenario '{name}': {string.Join(", ", All.Select(s => s.Name))} are.");

    static Scenario Measured(string name, string what) => new(name, what)
    {
        Tune = (_, settings) => settings with { Measures = true, Machines = settings.Machines + 1, Coordinators = 1 },
        Events = [Events.Collect],
        SeedsInTests = 40,
    };

    static Scenario KillsOfAll(string name, string what) => new(name, what)
    {
        Tune = (random, settings) => settings with
        {
            Machines = random.Between(1, 2),
            Coordinators = 0,
            Steps = 100,
            StepTime = TimeSpan.FromMilliseconds(500),
            CheckpointEvery = TimeSpan.FromSeconds(1),
            Rows = [4, 8, 16],
        },
        Events = [Events.KillAll],
        Every = (8, 16),
        Lasts = (200, 600),
        SeedsInTests = 20,
        EndsWithin = s_long,
        Steers = false,
        Sweeps = (1, 1),
    };

    static Scenario Bad(string name, string what, Trouble trouble) => new(name, what)
    {
        // Many small parts, so that one more or less does not matter.
        Tune = (random, settings) => settings with
        {
            Machines = random.Between(2, 4) + settings.Coordinators,
            Height = 1 << 20,
            Rows = [96, 128],
            Slots = 8,
            BatchSize = 4,
            StepTime = TimeSpan.FromMilliseconds(400),
        },
        BadMachine = trouble,
        SeedsInTests = 10,
        EndsWithin = s_long,
        Steers = false,
        Sweeps = (1, 2),
    };
}
