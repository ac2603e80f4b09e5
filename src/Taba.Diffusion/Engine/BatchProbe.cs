namespace Taba.Diffusion.Engine;

/// <summary>
/// Finds the rows of a forward pass with which a network makes the most evaluations a second. Short: a short sweep must not pay for what
/// only a long one wins. So it begins with the default, doubles and halves while that gains, and ends when its time is over.
/// </summary>
/// <param name="pass">Runs a pass of so many rows and tells its time; null when memory does not suffice.</param>
/// <param name="range">Where to look.</param>
public sealed class BatchProbe(Func<int, TimeSpan?> pass, BatchRange range)
{
    /// <summary>What gains less over what is known is not worth it: a machine is noisier than that.</summary>
    public const double Gain = 1.05;

    /// <summary>Of batches that are equal so far the smallest is the best: it wastes least at a tail.</summary>
    const double Tie = 0.97;

    /// <summary>The first pass of a shape chooses kernels and is not measured; the last is the second look.</summary>
    const int PassesOfAShape = 3;

    /// <summary>What the least probe takes, in passes of the default: three of it, and three of half of it.</summary>
    const double LeastProbe = 1.5 * PassesOfAShape;

    /// <summary>Before another batch than the default is believed in, both are measured so often again, in turn.</summary>
    const int Rounds = 2;

    readonly SortedDictionary<int, BatchSpeed> _measured = [];
    TimeSpan _spent;
    TimeSpan _elapsed;
    long _rows;

    /// <summary>Measures.</summary>
    public BatchFound Run() => new(Find(), [.. _measured.Values], _rows, _elapsed);

    int Find()
    {
        if (Spend(range.First) is not { } cold || cold > range.Budget)
            return range.Default;
        _spent = TimeSpan.Zero;
        if (Spend(range.First) is not { } warm || warm * (LeastProbe * range.Default / range.First) > range.Budget)
            return range.Default;
        Measure(range.Default);
        if (_measured.TryGetValue(range.Default, out var known) && known.PassSeconds < range.LeastPass.TotalSeconds)
            return range.Default;
        Double(known);
        if (known is null || Choose() == known)
            Halve();
        return _measured.Count == 0 ? range.Default : Confirm(Choose());
    }

    void Double(BatchSpeed? best)
    {
        for (var rows = 2 * range.Default; best is not null && rows <= range.Most && Fits(rows, best); rows *= 2)
        {
            Measure(rows);
            best = _measured.TryGetValue(rows, out var speed) && speed.PerSecond >= Gain * best.PerSecond ? speed : null;
        }
    }

    void Halve()
    {
        var last = _measured.GetValueOrDefault(range.Default);
        for (var rows = range.Default / 2; rows >= range.Least && (last is null || Fits(rows, last)); rows /= 2)
        {
            Measure(rows);
            var speed = _measured.GetValueOrDefault(rows);
            if (last is not null && (speed is null || speed.PerSecond < Tie * last.PerSecond))
                return;
            last = speed;
        }
    }

    /// <summary>The default, unless others gain something over it: then the smallest that is about as fast as the fastest.</summary>
    BatchSpeed Choose()
    {
        var best = Best();
        if (_measured.TryGetValue(range.Default, out var known) && best.PerSecond < Gain * known.PerSecond)
            return known;
        return _measured.Values.First(s => s.PerSecond >= Tie * best.PerSecond);
    }

    /// <summary>What was fast once may have been lucky: without the time to look again it is not believed in.</summary>
    int Confirm(BatchSpeed chosen)
    {
        if (!_measured.TryGetValue(range.Default, out var known) || chosen == known)
            return chosen.BatchSize;
        var round = 0;
        for (; round < Rounds && _spent.TotalSeconds + known.PassSeconds + chosen.PassSeconds < range.Budget.TotalSeconds; round++)
        {
            known = Again(known);
            chosen = Again(chosen);
        }
        return round > 0 && chosen.PerSecond >= Gain * known.PerSecond ? chosen.BatchSize : known.BatchSize;
    }

    BatchSpeed Best() => _measured.Values.MaxBy(s => s.PerSecond)!;

    /// <summary>There is time to measure a batch, and to look at it again beside the default.</summary>
    bool Fits(int rows, BatchSpeed like) =>
        _spent.TotalSeconds + (((PassesOfAShape * rows) + range.Default) / like.PerSecond) <= range.Budget.TotalSeconds;

    void Measure(int rows)
    {
        if (Spend(rows) is not null && Spend(rows) is { } time)
            _measured[rows] = new(rows, Seconds(time), 1);
    }

    BatchSpeed Again(BatchSpeed speed)
    {
        if (Spend(speed.BatchSize) is { } time)
            _measured[speed.BatchSize] = speed = new(speed.BatchSize, Math.Min(speed.PassSeconds, Seconds(time)), speed.Passes + 1);
        return speed;
    }

    TimeSpan? Spend(int rows)
    {
        var time = pass(rows);
        if (time is { } took)
        {
            _spent += took;
            _elapsed += took;
            _rows += rows;
        }
        return time;
    }

    // A clock may be too coarse for a pass.
    static double Seconds(TimeSpan time) => Math.Max(time.Ticks, 1) / (double)TimeSpan.TicksPerSecond;
}

/// <summary>The batches among which a probe chooses, in rows of a pass.</summary>
/// <param name="Default">Taken unless another one is clearly better.</param>
/// <param name="Least">The smallest, reached by halving the default.</param>
/// <param name="Most">The largest, reached by doubling it.</param>
/// <param name="First">Of the first passes, which tell whether the network is too slow to be probed.</param>
/// <param name="LeastPass">A network whose pass of the default takes less time is not worth a probe.</param>
/// <param name="Budget">The time of all passes, but for the first, which warms the device up.</param>
public sealed record BatchRange(int Default, int Least, int Most, int First, TimeSpan LeastPass, TimeSpan Budget);

/// <summary>What a probe found.</summary>
/// <param name="Rows">Rows of a pass to take.</param>
/// <param name="Measured">What it rests on, by rows; empty when the network is too slow to be probed.</param>
/// <param name="Evaluations">Rows of all passes.</param>
/// <param name="Elapsed">The time of all passes.</param>
public sealed record BatchFound(int Rows, IReadOnlyList<BatchSpeed> Measured, long Evaluations, TimeSpan Elapsed);
