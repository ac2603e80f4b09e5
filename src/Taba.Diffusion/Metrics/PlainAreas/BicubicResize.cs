namespace Taba.Diffusion.Metrics.PlainAreas;

/// <summary>
/// Images in another size, by cubic convolution (Keys 1981, a = -½) whose kernel is widened where an image shrinks, as Pillow's
/// BICUBIC; but in floating point: nothing is rounded to bytes or cut off between. Not thread-safe.
/// </summary>
sealed class BicubicResize
{
    const double Support = 2;

    readonly StateShape _source;
    readonly StateShape _to;
    readonly Tap[] _down;
    readonly Tap[] _across;
    readonly float[] _narrow;

    internal BicubicResize(StateShape source, int height, int width)
    {
        _source = source;
        _to = source with { Height = height, Width = width };
        _down = Taps(source.Height, height);
        _across = Taps(source.Width, width);
        _narrow = new float[source.Height * width];
    }

    /// <summary>Makes one image of another.</summary>
    /// <param name="image">[C,H,W]</param>
    /// <param name="resized">[C,height,width], overwritten.</param>
    internal void Apply(ReadOnlySpan<float> image, Span<float> resized)
    {
        for (var c = 0; c < _source.Channels; c++)
        {
            var plane = image.Slice(c * _source.Height * _source.Width, _source.Height * _source.Width);
            for (var y = 0; y < _source.Height; y++)
            {
                for (var x = 0; x < _to.Width; x++)
                    _narrow[(y * _to.Width) + x] = _across[x].Of(plane, y * _source.Width, 1);
            }

            for (var y = 0; y < _to.Height; y++)
            {
                for (var x = 0; x < _to.Width; x++)
                    resized[(((c * _to.Height) + y) * _to.Width) + x] = _down[y].Of(_narrow, x, _to.Width);
            }
        }
    }

    static Tap[] Taps(int from, int to)
    {
        var scale = (double)from / to;
        var widening = Math.Max(1, scale);
        var taps = new Tap[to];
        for (var i = 0; i < to; i++)
        {
            var centre = (i + 0.5) * scale;
            var first = Math.Max(0, (int)(centre - (Support * widening) + 0.5));
            var end = Math.Min(from, (int)(centre + (Support * widening) + 0.5));
            var weights = new double[end - first];
            for (var k = 0; k < weights.Length; k++)
                weights[k] = Kernel((first + k - centre + 0.5) / widening);

            // At the borders a part of the kernel is missing: what is left sums to 1.
            var sum = weights.Sum();
            taps[i] = new Tap(first, [.. weights.Select(weight => weight / sum)]);
        }

        return taps;
    }

    static double Kernel(double x)
    {
        const double A = -0.5;
        x = Math.Abs(x);
        return x switch
        {
            < 1 => (((((A + 2) * x) - (A + 3)) * x) * x) + 1,
            < 2 => ((((((x - 5) * x) + 8) * x) - 4) * A),
            _ => 0,
        };
    }

    /// <summary>The weights of neighbouring values that make one.</summary>
    readonly record struct Tap(int First, double[] Weights)
    {
        internal float Of(ReadOnlySpan<float> values, int start, int stride)
        {
            var sum = 0.0;
            for (var k = 0; k < Weights.Length; k++)
                sum += Weights[k] * values[start + ((First + k) * stride)];
            return (float)sum;
        }
    }
}
