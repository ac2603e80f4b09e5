namespace Taba.Diffusion.Metrics.Similarity;

/// <summary>
/// What both criteria need of two kernel matrices K and L, whose row sums are k and l: sums of products of elements, of products of row
/// sums, and of all elements.
/// </summary>
sealed class KernelSums
{
    // K∘L, K∘K, L∘L, k·l, k·k, l·l, ΣK, ΣL.
    readonly double[] _sums = new double[8];

    internal void Add(KernelSums other)
    {
        for (var i = 0; i < _sums.Length; i++)
            _sums[i] += other._sums[i];
    }

    /// <summary>Takes in one row of both matrices: its sums of products of elements, and its sums.</summary>
    internal void AddRow(double kl, double kk, double ll, double k, double l)
    {
        _sums[0] += kl;
        _sums[1] += kk;
        _sums[2] += ll;
        _sums[3] += k * l;
        _sums[4] += k * k;
        _sums[5] += l * l;
        _sums[6] += k;
        _sums[7] += l;
    }

    /// <summary>tr(K·H·L·H) with H = I - 1/m, of K with L, K with K and L with L.</summary>
    internal (double Xy, double Xx, double Yy) Biased(double m)
    {
        return (Of(0, 6, 7), Of(1, 6, 6), Of(2, 7, 7));

        double Of(int pair, int a, int b) => _sums[pair] - (2 * _sums[pair + 3] / m) + (_sums[a] * _sums[b] / (m * m));
    }

    /// <summary>The unbiased criterion, for sums that leave the diagonals out.</summary>
    internal (double Xy, double Xx, double Yy) Unbiased(double m)
    {
        return (Of(0, 6, 7), Of(1, 6, 6), Of(2, 7, 7));

        double Of(int pair, int a, int b) =>
            (_sums[pair] + (_sums[a] * _sums[b] / ((m - 1) * (m - 2))) - (2 * _sums[pair + 3] / (m - 2))) / (m * (m - 3));
    }

    internal void Write(BinaryWriter writer) => writer.WriteAll(_sums.AsSpan());

    internal void Read(BinaryReader reader)
    {
        var read = reader.ReadDoubles(_sums.Length);
        if (read.Length != _sums.Length)
            throw new InvalidDataException($"They state {read.Length} sums instead of {_sums.Length}.");
        read.CopyTo(_sums, 0);
    }
}

/// <summary>The sums of some whole rows of both matrices, which come in blocks of columns.</summary>
sealed class RowSums(RowSection rows)
{
    // Of each row: K∘L, K∘K, L∘L, k, l, and the two elements of the diagonal.
    const int Values = 7;

    readonly double[] _sums = new double[rows.Count * Values];

    internal void Add(RowSection columns, ReadOnlySpan<double> k, ReadOnlySpan<double> l)
    {
        for (var row = 0; row < rows.Count; row++)
        {
            var sums = _sums.AsSpan(row * Values, Values);
            var ofK = k.Slice(row * columns.Count, columns.Count);
            var ofL = l.Slice(row * columns.Count, columns.Count);
            for (var i = 0; i < ofK.Length; i++)
            {
                sums[0] += ofK[i] * ofL[i];
                sums[1] += ofK[i] * ofK[i];
                sums[2] += ofL[i] * ofL[i];
                sums[3] += ofK[i];
                sums[4] += ofL[i];
            }

            var own = rows.First + row - columns.First;
            if (own >= 0 && own < columns.Count)
                (sums[5], sums[6]) = (ofK[(int)own], ofL[(int)own]);
        }
    }

    internal void AddTo(KernelSums whole, KernelSums withoutDiagonal)
    {
        for (var row = 0; row < rows.Count; row++)
        {
            var sums = _sums.AsSpan(row * Values, Values);
            var (k, l) = (sums[5], sums[6]);
            whole.AddRow(sums[0], sums[1], sums[2], sums[3], sums[4]);
            withoutDiagonal.AddRow(sums[0] - (k * l), sums[1] - (k * k), sums[2] - (l * l), sums[3] - k, sums[4] - l);
        }
    }
}
