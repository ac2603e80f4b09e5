using Taba.Diffusion.Randomness;

namespace Taba.Diffusion.Metrics.Normality;

/// <summary>Draws the values of each row that are tested. Not thread-safe.</summary>
sealed class ValueDrawing
{
    // Keeps these draws apart from others of the same seed.
    const uint Purpose = 0x53776c6b;

    readonly NormalityDrawing _drawing;
    readonly ulong _seed;
    readonly int[] _order;

    MersenneTwister? _twister;
    long _twisterRow;

    internal ValueDrawing(NormalityDrawing drawing, ulong seed, int rowLength)
    {
        _drawing = drawing;
        _seed = seed;
        _order = new int[rowLength];
    }

    /// <summary>Draws as many values of a row as there is room for.</summary>
    internal void Draw(long row, ReadOnlySpan<float> values, Span<double> drawn)
    {
        if (_drawing == NormalityDrawing.Upstream)
            WithReplacement(row, values, drawn);
        else
            WithoutReplacement(row, values, drawn);
    }

    void WithoutReplacement(long row, ReadOnlySpan<float> values, Span<double> drawn)
    {
        for (var i = 0; i < _order.Length; i++)
            _order[i] = i;
        for (var i = 0; i < drawn.Length; i++)
        {
            // The upper half of a product of 64 bits is uniform below its other factor.
            var (x, y, _, _) = Philox.Block((uint)_seed, (uint)(_seed >> 32), (uint)row, (uint)(row >> 32), (uint)i, Purpose);
            var j = i + (int)Math.BigMul(((ulong)x << 32) | y, (ulong)(values.Length - i), out _);
            (_order[i], _order[j]) = (_order[j], _order[i]);
            drawn[i] = values[_order[i]];
        }
    }

    void WithReplacement(long row, ReadOnlySpan<float> values, Span<double> drawn)
    {
        // torch seeds its generator by the lower 32 bits, and takes one word modulo the range, which is below 2^28.
        if (_twister is null || row < _twisterRow)
            (_twister, _twisterRow) = (MersenneTwister.FromSeed((uint)_seed), 0);
        for (; _twisterRow < row; _twisterRow++)
        {
            for (var i = 0; i < drawn.Length; i++)
                _twister.NextUInt32();
        }

        for (var i = 0; i < drawn.Length; i++)
            drawn[i] = values[(int)(_twister.NextUInt32() % (uint)values.Length)];
        _twisterRow++;
    }
}
