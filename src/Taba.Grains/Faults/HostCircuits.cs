using System.Collections.Immutable;
using Taba.Grains.Silos;

namespace Taba.Grains.Faults;

/// <summary>
/// The hosts that failed at a stage. Each waits by itself, for a while that doubles, and is then tried with one part; what it publishes, or
/// gets on with, makes it a host like any other. Only in memory: a coordinator that starts anew tries everybody. In the grain's turns only.
/// </summary>
/// <param name="longest">The longest pause; null when only <see cref="TryAll"/> ends one.</param>
sealed class HostCircuits(TimeProvider time, TimeSpan? longest)
{
    const int MostHosts = 4096;

    static readonly TimeSpan s_first = TimeSpan.FromSeconds(1);

    readonly Dictionary<string, Circuit> _hosts = [];

    public bool IsEmpty => _hosts.Count == 0;

    /// <summary>Hosts that failed and have not shown since that they work.</summary>
    public ImmutableArray<HostPause> Pauses => PausesOf([]);

    /// <summary>The same, by the names of silos as far as these have them.</summary>
    public ImmutableArray<HostPause> PausesOf(ImmutableArray<SiloInfo> there) =>
    [
        .. _hosts.Where(h => h.Value.Failures > 0).Select(h => new HostPause(
            there.FirstOrDefault(s => KeyOf(s) == h.Key)?.Name ?? h.Key, h.Value.Worker, h.Value.Reason, h.Value.Failures,
            Left(h.Value))),
    ];

    /// <summary>Those of these silos that refuse the model.</summary>
    public ImmutableArray<(string Silo, string Reason)> RefusalsOf(ImmutableArray<SiloInfo> there) =>
        [.. there.Where(s => Find(s) is { Refuses: true }).Select(s => (s.Name, Find(s)!.Reason))];

    /// <summary>False while the host has to wait.</summary>
    public bool MayTake(string host) => !_hosts.TryGetValue(host, out var circuit) || !IsOpen(circuit);

    /// <summary>True when the host may take one part, to show that it works.</summary>
    public bool IsOnTrial(string host) => _hosts.TryGetValue(host, out var circuit) && circuit.Failures > 0;

    /// <summary>True when the host failed, and its pause has not been over for so long.</summary>
    public bool FailedLately(string host, TimeSpan span) =>
        _hosts.TryGetValue(host, out var circuit) && circuit.Failures > 0 && time.GetElapsedTime(circuit.Since) - circuit.Length < span;

    /// <summary>True when the host may be asked: it does not wait, and does not refuse.</summary>
    public bool CanBeAsked(string host) => !_hosts.TryGetValue(host, out var circuit) || !(circuit.Refuses || IsOpen(circuit));

    /// <summary>The host failed. What fails while it waits was handed out before: that is the same failure.</summary>
    public void Failed(string host, string worker, string reason)
    {
        var circuit = Of(host, worker);
        if (IsOpen(circuit))
            return;
        var (pause, most) = (s_first * Math.Pow(2, Math.Min(circuit.Failures, 30)), longest ?? TimeSpan.MaxValue);
        (circuit.Reason, circuit.Refuses) = (reason, false);
        (circuit.Since, circuit.Length) = (time.GetTimestamp(), longest is not null && pause < most ? pause : most);
        circuit.Failures++;
    }

    /// <summary>
    /// The host cannot serve the model. It tells each time it looks for work, and asks when it can: it need not be stopped.
    /// </summary>
    public void Refuses(string host, string worker, string reason)
    {
        var circuit = Of(host, worker);
        (circuit.Reason, circuit.Refuses) = (reason, true);
    }

    /// <summary>The host serves the model.</summary>
    public void Serves(string host)
    {
        if (!_hosts.TryGetValue(host, out var circuit))
            return;
        circuit.Refuses = false;
        if (circuit.Failures == 0)
            _hosts.Remove(host);
    }

    /// <summary>The host published rows, or got on with them.</summary>
    public void Worked(string host) => _hosts.Remove(host);

    /// <summary>Somebody says that what failed is mended: every host is tried at once.</summary>
    public void TryAll()
    {
        foreach (var circuit in _hosts.Values)
            circuit.Length = TimeSpan.Zero;
    }

    /// <summary>What keeps the stage from going on at all; null while any host may still take it.</summary>
    /// <param name="there">The silos that live and could take the stage.</param>
    /// <param name="model">The name of the stage's model.</param>
    public Fault? Standstill(IEnumerable<SiloInfo> there, string model)
    {
        var asked = there.Select(Find).ToList();
        // Where nobody says who lives, those that failed are all that there are.
        if (asked.Count == 0)
            asked = [.. _hosts.Values];
        if (asked.Count == 0 || !asked.All(c => c is not null && (c.Refuses || IsOpen(c))))
            return null;
        var failed = asked.Where(c => !c!.Refuses).ToList();
        if (failed.Count == 0)
            return new(FaultOwner.Stage, $"no silo can serve the model {model}");
        var alike = failed.GroupBy(c => c!.Reason).OrderByDescending(g => g.Count()).First();
        if (asked.Count == 1)
            return new(FaultOwner.Host, alike.Key);
        return alike.Count() == asked.Count
            ? new(FaultOwner.Store, $"all {asked.Count} silos failed alike: {alike.Key}")
            : new(FaultOwner.Stage, $"none of {asked.Count} silos can go on; of {alike.Count()} it is: {alike.Key}");
    }

    Circuit? Find(SiloInfo silo) => _hosts.GetValueOrDefault(KeyOf(silo));

    /// <summary>A silo asks by its name, or, where it did not give it, is known by its address.</summary>
    string KeyOf(SiloInfo silo) => _hosts.ContainsKey(silo.Name) ? silo.Name : HostName.Of(silo.Worker);

    TimeSpan Left(Circuit circuit)
    {
        if (circuit.Length == TimeSpan.MaxValue)
            return circuit.Length;
        var left = circuit.Length - time.GetElapsedTime(circuit.Since);
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    bool IsOpen(Circuit circuit) => circuit.Failures > 0 && Left(circuit) > TimeSpan.Zero;

    Circuit Of(string host, string worker)
    {
        if (!_hosts.TryGetValue(host, out var circuit))
        {
            // Hosts that never come back are forgotten in the end.
            if (_hosts.Count >= MostHosts)
                _hosts.Remove(_hosts.MinBy(h => h.Value.Since).Key);
            _hosts[host] = circuit = new();
        }
        circuit.Worker = worker;
        return circuit;
    }

    sealed class Circuit
    {
        public string Worker { get; set; } = "";

        public string Reason { get; set; } = "";

        public bool Refuses { get; set; }

        public int Failures { get; set; }

        /// <summary>When it failed last, a timestamp.</summary>
        public long Since { get; set; }

        public TimeSpan Length { get; set; }
    }
}
