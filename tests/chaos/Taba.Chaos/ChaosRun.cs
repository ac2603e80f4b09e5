using System.Diagnostics;
using Taba.Testing;
using Taba.Testing.Clusters;
using Taba.Testing.Commands;

namespace Taba.Chaos;

/// <summary>Two sweeps on a cluster of their own, watched from outside and supervised as Kubernetes would do it.</summary>
sealed class ChaosRun : IAsyncDisposable
{
    static readonly TimeSpan s_lookEvery = TimeSpan.FromMilliseconds(100);
    static readonly TimeSpan s_restartAfter = TimeSpan.FromSeconds(1);
    static readonly TimeSpan s_endLimit = TimeSpan.FromMinutes(15);
    static readonly TimeSpan s_commandLimit = TimeSpan.FromMinutes(2);

    readonly List<ChaosSweep> _judged;
    readonly EvaluationLog _log;
    readonly Dictionary<string, string> _roles = [];
    readonly Dictionary<ChaosSweep, ProgramProcess> _clients = [];
    readonly CancellationTokenSource _stop = new();
    readonly List<(HashSet<string> Victims, TimeSpan At)> _disturbances = [];
    readonly List<string> _faults = [];
    readonly List<string> _notes = [];
    readonly Stopwatch _clock = new();
    Task _supervision = Task.CompletedTask;

    ChaosRun(TestCluster cluster, SweepPair sweeps)
    {
        Cluster = cluster;
        Sweeps = sweeps;
        _judged = [.. sweeps.Both];
        _log = new(cluster.Journals);
    }

    public TestCluster Cluster { get; }

    public SweepPair Sweeps { get; }

    /// <summary>While true, silos that ended stay down.</summary>
    public bool LeaveDown { get; set; }

    public int Evaluations => _log.Count;

    public IReadOnlyList<SeenEvaluation> Seen => _log.Seen;

    /// <summary>The time on the clock of <see cref="Seen"/>.</summary>
    public TimeSpan Now => _log.Now;

    /// <summary>Every step but two is followed by a checkpoint, so that work lost is told from work done.</summary>
    public const int CheckpointEverySteps = 2;

    /// <summary>Starts servers and silos, and waits until all are members.</summary>
    /// <param name="silos">Names and roles.</param>
    public static async Task<ChaosRun> StartAsync(
        SweepPair sweeps, IEnumerable<(string Name, string Role)> silos, TestCluster? cluster = null)
    {
        cluster ??= await TestCluster.StartAsync();
        cluster.Logs = Environment.GetEnvironmentVariable("TABA_CHAOS_LOGS");
        cluster.Settings["Taba__Engine__CheckpointEverySteps"] = $"{CheckpointEverySteps}";
        foreach (var sweep in sweeps.Both)
            await File.WriteAllTextAsync(Path.Combine(cluster.Folder, sweep.File), sweep.Yaml);
        var run = new ChaosRun(cluster, sweeps);
        try
        {
            // One after the other: the first one makes the tables.
            foreach (var (name, role) in silos)
            {
                run._roles[name] = role;
                await cluster.StartSiloAsync(name, role);
            }
        }
        catch
        {
            await run.DisposeAsync();
            throw;
        }
        run._supervision = run.SuperviseAsync();
        return run;
    }

    public static IEnumerable<(string, string)> Workers(int count) => Enumerable.Range(1, count).Select(i => ($"w{i}", "worker"));

    /// <summary>Starts the commands that run the sweeps, the second one when the first one's sweep is under way.</summary>
    public async Task StartClientsAsync()
    {
        _clock.Start();
        foreach (var sweep in Sweeps.Both)
        {
            var client = _clients[sweep] = Cluster.StartClient(
                "run", sweep.File, "--cluster", TestCluster.Name, "--out", Path.Combine(Cluster.Folder, sweep.Out));
            // It shows progress when its sweep is submitted: before that the command is not there to be disturbed.
            await client.UntilAsync(() => client.Errors.Contains($"{sweep.Name}: ", StringComparison.Ordinal));
        }
    }

    /// <summary>Kills the commands; the sweeps do not need them.</summary>
    public void KillClients()
    {
        foreach (var client in _clients.Values)
            client.Kill();
    }

    /// <summary>What the commands of the sweeps said.</summary>
    public string ClientsSaid => string.Concat(_clients.Values.Select(c => c.Errors));

    /// <summary>Runs another command to its end.</summary>
    /// <returns>What it said, and how long it took.</returns>
    public async Task<(string Output, TimeSpan Took)> CommandAsync(params string[] arguments)
    {
        var clock = Stopwatch.StartNew();
        var output = await Cluster.RunClientAsync(s_commandLimit, [.. arguments, "--cluster", TestCluster.Name]);
        return (output, clock.Elapsed);
    }

    /// <summary>Waits until this part of the planned evaluations was made, or nobody waits for any more.</summary>
    public Task ReachAsync(double part) => UntilAsync(
        () => Evaluations >= (long)(part * Sweeps.Planned) || _clients.Values.All(c => c.HasExited),
        $"{part:P0} of the planned evaluations were made");

    /// <summary>Waits until something has happened.</summary>
    /// <exception cref="TimeoutException">It does not.</exception>
    public static async Task UntilAsync(Func<bool> happened, string what)
    {
        var limit = Stopwatch.StartNew();
        while (!happened())
        {
            if (limit.Elapsed > s_endLimit)
                throw new TimeoutException($"It did not happen within {s_endLimit} that {what}.");
            await Task.Delay(s_lookEvery);
        }
    }

    /// <summary>Writes down that something goes wrong now, and with whom.</summary>
    public void Disturb(params IEnumerable<string> victims) => _disturbances.Add(([.. victims], _log.Now));

    /// <summary>Kills a silo; it is begun again by its supervisor.</summary>
    public void Kill(string silo)
    {
        Cluster.Silos[silo].Kill();
        Disturb(silo);
    }

    /// <summary>Kills one of those silos that live.</summary>
    public void KillAny(Random random)
    {
        if (Living() is { Count: > 0 } living)
            Kill(living[random.Next(living.Count)]);
    }

    /// <summary>Kills all silos and has them begun again after so long.</summary>
    public async Task KillAllAsync(TimeSpan down)
    {
        LeaveDown = true;
        foreach (var silo in Cluster.Silos.Values)
            silo.Kill();
        await Task.Delay(down);
        // From here on there is something that can recover.
        Disturb(Cluster.Silos.Keys);
        LeaveDown = false;
    }

    public List<string> Living() =>
        [.. Cluster.Silos.Where(s => !s.Value.HasExited).Select(s => s.Key).Order(StringComparer.Ordinal)];

    public void Fault(string sentence) => _faults.Add(sentence);

    public void Note(string sentence) => _notes.Add(sentence);

    /// <summary>This sweep was cancelled: nothing is expected of it.</summary>
    public void DoNotJudge(ChaosSweep sweep) => _judged.Remove(sweep);

    /// <summary>Waits for the ends of the commands and judges everything.</summary>
    public async Task<ScenarioResult> EndAsync()
    {
        var ends = await Task.WhenAll(_judged.Select(EndAsync));
        if (Directory.Exists(Cluster.StoreFolder))
            _faults.AddRange(StoreManifests.Faults(Cluster.StoreFolder));
        // The undisturbed runs, of which there may be none yet, begin when the disturbed ones have ended.
        foreach (var sweep in _judged)
        {
            var files = Path.Combine(Cluster.Folder, sweep.Out);
            if (Directory.Exists(files))
                _faults.AddRange(SweepFiles.Differences(await sweep.UndisturbedAsync(), SweepFiles.Digests(files)).Select(
                    difference => $"{sweep.Name}: {difference}"));
        }
        var seen = Seen;
        foreach (var lost in EvaluationTrace.SetBack(seen, CheckpointEverySteps).Take(5))
            await Console.Error.WriteLineAsync(lost);
        return new(_faults)
        {
            Wall = ends.Max(e => e.Wall),
            Ends = _judged.Zip(ends).ToDictionary(e => e.First.Name, e => e.Second),
            Planned = _judged.Count == Sweeps.Both.Count ? Sweeps.Planned : 0,
            Made = seen.Count,
            LongestRepeat = EvaluationTrace.LongestRepeat(seen),
            Recoveries = [.. _disturbances.Select(d => EvaluationTrace.Recovery(seen, d.Victims, d.At)).OfType<TimeSpan>()],
            Silence = EvaluationTrace.LongestSilence(seen),
            Notes = _notes,
        };
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _supervision;
        await _log.DisposeAsync();
        await Cluster.DisposeAsync();
        _stop.Dispose();
    }

    async Task<SweepEnd> EndAsync(ChaosSweep sweep)
    {
        var client = _clients[sweep];
        try
        {
            if ((await client.EndAsync(s_endLimit)).Status is var status and not 0)
                _faults.Add($"the command of {sweep.Name} ended with {status}: {client.Errors}");
        }
        catch (TimeoutException exception)
        {
            _faults.Add(exception.Message);
        }
        return new(_clock.Elapsed, Evaluations);
    }

    /// <summary>Begins every silo again that ended, whatever ended it.</summary>
    async Task SuperviseAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            foreach (var (name, role) in _roles)
            {
                if (LeaveDown || !Cluster.Silos[name].HasExited)
                    continue;
                await Task.Delay(s_restartAfter);
                if (!LeaveDown && !_stop.IsCancellationRequested)
                    Cluster.BeginSilo(name, role);
            }
            await Task.Delay(s_lookEvery);
        }
    }
}
