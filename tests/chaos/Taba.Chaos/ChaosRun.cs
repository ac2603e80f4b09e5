using System.Diagnostics;
using Taba.Testing;
using Taba.Testing.Clusters;
using Taba.Testing.Commands;

namespace Taba.Chaos;

/// <summary>One run of a sweep on a cluster of its own, watched from outside and supervised as Kubernetes would do it.</summary>
sealed class ChaosRun : IAsyncDisposable
{
    static readonly TimeSpan s_lookEvery = TimeSpan.FromMilliseconds(100);
    static readonly TimeSpan s_restartAfter = TimeSpan.FromSeconds(1);
    static readonly TimeSpan s_endLimit = TimeSpan.FromMinutes(15);

    readonly ChaosSweep _sweep;
    readonly EvaluationLog _log;
    readonly Dictionary<string, string> _roles = [];
    readonly CancellationTokenSource _stop = new();
    readonly List<(HashSet<string> Victims, TimeSpan At)> _disturbances = [];
    readonly List<string> _faults = [];
    readonly Stopwatch _clock = new();
    Task _supervision = Task.CompletedTask;

    ChaosRun(TestCluster cluster, ChaosSweep sweep)
    {
        Cluster = cluster;
        _sweep = sweep;
        _log = new(cluster.Journals);
    }

    public TestCluster Cluster { get; }

    /// <summary>While true, silos that ended stay down.</summary>
    public bool LeaveDown { get; set; }

    public int Evaluations => _log.Count;

    public IReadOnlyList<SeenEvaluation> Seen => _log.Seen;

    string Out => Path.Combine(Cluster.Folder, "out");

    /// <summary>Every step but two is followed by a checkpoint, so that work lost is told from work done.</summary>
    public const int CheckpointEverySteps = 2;

    /// <summary>Starts servers and silos, and waits until all are members.</summary>
    /// <param name="silos">Names and roles.</param>
    public static async Task<ChaosRun> StartAsync(
        ChaosSweep sweep, IEnumerable<(string Name, string Role)> silos, TestCluster? cluster = null)
    {
        cluster ??= await TestCluster.StartAsync();
        cluster.Logs = Environment.GetEnvironmentVariable("TABA_CHAOS_LOGS");
        cluster.Settings["Taba__Engine__CheckpointEverySteps"] = $"{CheckpointEverySteps}";
        await File.WriteAllTextAsync(Path.Combine(cluster.Folder, "sweep.yaml"), sweep.Yaml);
        var run = new ChaosRun(cluster, sweep);
        // One after the other: the first one makes the tables.
        foreach (var (name, role) in silos)
        {
            run._roles[name] = role;
            await cluster.StartSiloAsync(name, role);
        }
        run._supervision = run.SuperviseAsync();
        return run;
    }

    public static IEnumerable<(string, string)> Workers(int count) => Enumerable.Range(1, count).Select(i => ($"w{i}", "worker"));

    /// <summary>Starts the command that runs the sweep.</summary>
    public ProgramProcess StartClient()
    {
        _clock.Start();
        return Cluster.StartClient("run", "sweep.yaml", "--cluster", TestCluster.Name, "--out", Out);
    }

    /// <summary>Waits until this part of the planned evaluations was made.</summary>
    public async Task ReachAsync(double part)
    {
        var goal = (long)(part * _sweep.Planned);
        var limit = Stopwatch.StartNew();
        while (Evaluations < goal)
        {
            if (limit.Elapsed > s_endLimit)
                throw new TimeoutException($"Only {Evaluations} of {goal} evaluations were made within {s_endLimit}.");
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

    public void Fault(string sentence) => _faults.Add(sentence);

    /// <summary>Waits for the command's end and judges everything.</summary>
    public async Task<ScenarioResult> EndAsync(ProgramProcess client, string note = "")
    {
        try
        {
            var status = (await client.EndAsync(s_endLimit)).Status;
            // The undisturbed run, of which there may be none yet, is not part of it.
            _clock.Stop();
            if (status != 0)
                _faults.Add($"the command ended with {status}: {client.Errors}");
            else
                _faults.AddRange(SweepFiles.Differences(await _sweep.UndisturbedAsync(), SweepFiles.Digests(Out)));
        }
        catch (TimeoutException exception)
        {
            _faults.Add(exception.Message);
        }
        var wall = _clock.Elapsed;
        if (Directory.Exists(Cluster.StoreFolder))
            _faults.AddRange(StoreManifests.Faults(Cluster.StoreFolder));
        var seen = Seen;
        var recoveries = _disturbances.Select(d => EvaluationTrace.Recovery(seen, d.Victims, d.At)).OfType<TimeSpan>().ToList();
        foreach (var lost in EvaluationTrace.SetBack(seen, CheckpointEverySteps).Take(5))
            await Console.Error.WriteLineAsync(lost);
        var silence = $"longest silence {EvaluationTrace.LongestSilence(seen).TotalSeconds:F1} s";
        return new(_faults, wall, _sweep.Planned, seen.Count, EvaluationTrace.LongestRepeat(seen), recoveries, note.Length == 0
            ? silence
            : $"{note}; {silence}");
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _supervision;
        await _log.DisposeAsync();
        await Cluster.DisposeAsync();
        _stop.Dispose();
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
