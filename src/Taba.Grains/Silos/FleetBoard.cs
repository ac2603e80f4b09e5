using System.Collections.Immutable;

namespace Taba.Grains.Silos;

/// <summary>What silos said of how they fare: the newest of each, and ten minutes of each device. One thread at a time.</summary>
/// <param name="time">The time.</param>
/// <param name="isTroubled">Whether anything is wrong with a silo.</param>
sealed class FleetBoard(TimeProvider time, Func<SiloStanding, bool> isTroubled)
{
    /// <summary>A silo that said nothing for so long is gone.</summary>
    public static readonly TimeSpan ForgetAfter = TimeSpan.FromMinutes(10);

    /// <summary>A silo that said nothing for so long is not counted on.</summary>
    public static readonly TimeSpan SilentAfter = TimeSpan.FromSeconds(10);

    static readonly TimeSpan s_step = TimeSpan.FromSeconds(10);

    readonly long _began = time.GetTimestamp();
    readonly Dictionary<string, Known> _silos = [];
    readonly FareRing _all = new();

    /// <summary>What it remembers of times past, in bytes.</summary>
    public long BytesOfRings => FareRing.Bytes * (1L + _silos.Values.Sum(s => s.Rings.Count));

    /// <summary>Now, in steps since this began.</summary>
    double Now => time.GetElapsedTime(_began) / s_step;

    /// <summary>Takes a report.</summary>
    /// <returns>False when it is not newer than what was heard of the same process.</returns>
    public bool Take(SiloFare fare)
    {
        var before = _silos.GetValueOrDefault(fare.Silo.Name);
        var same = before?.Fare.Silo.Worker == fare.Silo.Worker;
        if (same && fare.Uptime <= before!.Fare.Uptime)
            return false;
        var known = new Known(fare, time.GetTimestamp());
        foreach (var device in fare.Devices)
        {
            var ring = known.Rings[device.Name] = before?.Rings.GetValueOrDefault(device.Name) ?? new();
            if (same && before!.Fare.Devices.FirstOrDefault(d => d.Name == device.Name) is { } last)
                Add(ring, fare.Uptime - before.Fare.Uptime, last, device);
        }
        _silos[fare.Silo.Name] = known;
        return true;
    }

    /// <summary>Forgets those that have been silent for long.</summary>
    public void Forget()
    {
        foreach (var gone in _silos.Where(s => time.GetElapsedTime(s.Value.At) > ForgetAfter).Select(s => s.Key).ToList())
            _silos.Remove(gone);
    }

    /// <summary>Addresses of the silos of a page.</summary>
    public ImmutableArray<string> Workers(FleetAsk ask) => [.. Page(ask).Select(s => s.Fare.Silo.Worker)];

    /// <param name="ask">The page.</param>
    /// <param name="idle">Why a device idles, if it does: its silo, itself, and what it did of late.</param>
    public FleetView View(FleetAsk ask, Func<SiloFare, DeviceFare, FarePoint, (IdleKind Kind, string Text)?> idle)
    {
        var step = (long)Now;
        return new(
            _silos.Count, Math.Max(0, ask.From), [.. Page(ask).Select(s => Standing(s, step, idle))], History(_all, step))
        {
            Device = ask.Device is { } name && Ring(name) is { } ring ? History(ring, step) : null,
            DevicesWorking = _silos.Values.Where(s => !s.Fare.Draining && time.GetElapsedTime(s.At) < SilentAfter)
                .Sum(s => s.Fare.Devices.Count(d => d.Works)),
        };
    }

    /// <summary>Those with troubles first: whoever looks at the first page of a large fleet sees them.</summary>
    IEnumerable<Known> Page(FleetAsk ask) => _silos.Values
        .OrderByDescending(silo => isTroubled(new(silo.Fare, time.GetElapsedTime(silo.At), [])))
        .ThenBy(silo => silo.Fare.Silo.Name, StringComparer.Ordinal)
        .Skip(ask.From).Take(Math.Min(ask.Count, FleetView.MostSilos));

    SiloStanding Standing(Known silo, long step, Func<SiloFare, DeviceFare, FarePoint, (IdleKind Kind, string Text)?> idle) => new(
        silo.Fare, time.GetElapsedTime(silo.At),
        [
            .. silo.Fare.Devices.Select(device =>
            {
                var last = silo.Rings[device.Name].Last(step);
                var why = idle(silo.Fare, device, last.Point);
                return new DeviceStanding(
                    device.Name, last.Point, last.Seconds > 0 ? last.Evaluations / last.Seconds : 0, why?.Kind, why?.Text);
            }),
        ]);

    FareRing? Ring(string name)
    {
        var cut = name.LastIndexOf('/');
        return cut < 0 ? null : _silos.GetValueOrDefault(name[..cut])?.Rings.GetValueOrDefault(name[(cut + 1)..]);
    }

    FareHistory History(FareRing ring, long step) => new(
        time.GetUtcNow() - s_step * (Now - step + FareRing.Steps - 1), s_step, ring.Points(step));

    void Add(FareRing ring, TimeSpan length, DeviceFare last, DeviceFare device)
    {
        var (from, to) = (last.Times, device.Times);
        var span = new FareRing.Slot
        {
            Network = More(from.Network, to.Network),
            Overhead = More(from.Overhead, to.Overhead),
            OutputWait = More(from.OutputWait, to.OutputWait),
            Linger = More(from.Linger, to.Linger),
            Loading = More(from.Loading, to.Loading),
            Seconds = (float)length.TotalSeconds,
            Evaluations = Math.Max(0, device.Evaluations - last.Evaluations),
            Capacity = Math.Max(0, device.Passes - last.Passes) * (float)Math.Max(device.BatchLimit, last.BatchLimit),
        };
        ring.Add(Now, length / s_step, span);
        _all.Add(Now, length / s_step, span);
    }

    /// <summary>What is under way is estimated, so that a counter may fall by a little.</summary>
    static float More(double from, double to) => (float)Math.Max(0, to - from);

    /// <summary>A silo's newest report, when it came, and the rings of its devices.</summary>
    sealed class Known(SiloFare fare, long at)
    {
        public SiloFare Fare { get; } = fare;

        public long At { get; } = at;

        public Dictionary<string, FareRing> Rings { get; } = [];
    }
}
