using System.Collections.Immutable;

namespace Taba.Grains.Silos;

/// <summary>Ten minutes of what devices did with their time, in steps of ten seconds: a few numbers each, whatever is told of it.</summary>
sealed class FareRing
{
    public const int Steps = 60;

    /// <summary>What it takes, but for its own header.</summary>
    public static readonly int Bytes = Steps * System.Runtime.CompilerServices.Unsafe.SizeOf<Slot>();

    readonly Slot[] _slots = new Slot[Steps];
    long _newest = -1;

    /// <summary>Adds a span of a device, which is spread over the steps that it touches.</summary>
    /// <param name="end">The step in which it ends, with the part of it that has passed; 12.5 is the middle of step 12.</param>
    /// <param name="length">Its length in steps, more than 0.</param>
    /// <param name="span">All that happened in it.</param>
    public void Add(double end, double length, in Slot span)
    {
        Advance((long)end);
        for (var step = Math.Max(0, (long)Math.Floor(end - length)); step <= (long)end; step++)
        {
            var part = (Math.Min(end, step + 1) - Math.Max(end - length, step)) / length;
            if (part > 0 && step > _newest - Steps)
                _slots[step % Steps].Add(span, (float)part);
        }
    }

    /// <summary>The last steps up to one, the oldest first.</summary>
    public ImmutableArray<FarePoint> Points(long until)
    {
        Advance(until);
        var points = ImmutableArray.CreateBuilder<FarePoint>(Steps);
        for (var step = until - Steps + 1; step <= until; step++)
            points.Add(step < 0 ? default : _slots[step % Steps].Point);
        return points.MoveToImmutable();
    }

    /// <summary>A step and the one before it together: what is under way alone would say little.</summary>
    public Slot Last(long until)
    {
        Advance(until);
        var last = default(Slot);
        for (var step = Math.Max(0, until - 1); step <= until; step++)
            last.Add(_slots[step % Steps], 1);
        return last;
    }

    void Advance(long step)
    {
        for (var next = Math.Max(_newest + 1, step - Steps + 1); next <= step; next++)
            _slots[next % Steps] = default;
        _newest = Math.Max(_newest, step);
    }

    /// <summary>Seconds of devices by what they went to, and what came of it.</summary>
    public struct Slot
    {
        public float Network;
        public float Overhead;
        public float OutputWait;
        public float Linger;
        public float Loading;
        public float Seconds;
        public float Evaluations;

        /// <summary>Rows that the passes might have had.</summary>
        public float Capacity;

        public void Add(in Slot other, float part)
        {
            Network += other.Network * part;
            Overhead += other.Overhead * part;
            OutputWait += other.OutputWait * part;
            Linger += other.Linger * part;
            Loading += other.Loading * part;
            Seconds += other.Seconds * part;
            Evaluations += other.Evaluations * part;
            Capacity += other.Capacity * part;
        }

        /// <summary>As shares.</summary>
        public readonly FarePoint Point
        {
            get
            {
                if (Seconds <= 0)
                    return default;
                float? fill = Capacity > 0 ? Math.Min(1, Evaluations / Capacity) : null;
                // Several engines of a device may work, or wait, at once.
                var known = Network + Overhead + OutputWait + Linger + Loading;
                var all = Math.Max(Seconds, known);
                return new(
                    Network / all, Overhead / all, OutputWait / all, Linger / all, Loading / all, (all - known) / all, fill, Seconds);
            }
        }
    }
}
