using Taba.Diffusion.Randomness;

namespace Taba.Diffusion.Metrics.Features;

/// <summary>
/// The Inception Score (Salimans et al. 2016) of generated images from a classifier's logits: exp of the mean divergence of a row's classes
/// from those of its split, over 10 random splits; mean and population deviation. Between 1 and the number of classes.
/// </summary>
/// <remarks>
/// Splits are those of torch-fidelity: rows permuted by NumPy's RandomState(2020). Which split a row belongs to depends on N, so N is told
/// first; probabilities, one sum a class and split, are kept, and 4 bytes a row of the whole. Upstream's script gives the score of the
/// reference set instead, because torch-fidelity takes its first input. Not thread-safe.
/// </remarks>
public sealed class InceptionScore : IPartialSums<InceptionScore>
{
    /// <summary>torch-fidelity's number of splits.</summary>
    public const int DefaultSplits = 10;

    /// <summary>And its seed.</summary>
    public const long Seed = 2020;

    const int FormatVersion = 1;
    const int MostRows = 100_000_000;
    const int MostClasses = 1_000_000;

    readonly int _rows;
    readonly int _classes;
    readonly int _splits;
    readonly Lazy<int[]> _lazySplitOfRow;
    readonly double[] _entropies;
    readonly double[] _probabilities;

    /// <param name="rows">N, the number of splits or more.</param>
    /// <param name="classes">Logits of a row (1008 of the Inception network of 2015).</param>
    /// <param name="firstRow">The row that this part begins with.</param>
    /// <param name="splits">1 or more.</param>
    /// <exception cref="ArgumentException">There are fewer rows than splits, or a number lies outside.</exception>
    public InceptionScore(int rows, int classes, int firstRow = 0, int splits = DefaultSplits)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(classes, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(classes, MostClasses);
        ArgumentOutOfRangeException.ThrowIfLessThan(splits, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(splits, 1000);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(rows, MostRows);
        if (rows < splits)
            throw new ArgumentException($"The Inception Score cuts its rows into {splits} splits; these are {rows} rows.", nameof(rows));
        RowSection.Of(firstRow, 0, rows);
        (_rows, _classes, FirstRow, _splits) = (rows, classes, firstRow, splits);
        _lazySplitOfRow = new(SplitOfRow);
        _entropies = new double[splits];
        _probabilities = new double[splits * classes];
    }

    /// <summary>The row that this part begins with.</summary>
    public int FirstRow { get; }

    /// <summary>Rows seen.</summary>
    public int Count { get; private set; }

    /// <summary>Takes in the logits of the rows that follow those before.</summary>
    /// <exception cref="ArgumentException">They are not whole rows, or more than there are.</exception>
    public void Add(ReadOnlySpan<float> logits)
    {
        if (logits.Length % _classes != 0)
            throw new ArgumentException($"{logits.Length} values are not whole rows of {_classes} logits.", nameof(logits));
        RowSection.Of(FirstRow + Count, logits.Length / _classes, _rows);

        var exponentials = new double[_classes];
        for (; !logits.IsEmpty; logits = logits[_classes..])
            AddRow(logits[.._classes], exponentials, _lazySplitOfRow.Value[FirstRow + Count++]);
    }

    /// <summary>Mean and population deviation over splits.</summary>
    /// <exception cref="InvalidOperationException">Rows are missing.</exception>
    public MeanStd Compute()
    {
        if (FirstRow != 0 || Count != _rows)
            throw new InvalidOperationException($"The Inception Score has {_rows} rows; it was given {Count} from row {FirstRow} on.");
        return MeanStd.Population([.. Enumerable.Range(0, _splits).Select(Score)]);
    }

    /// <inheritdoc/>
    public void Merge(InceptionScore later)
    {
        ArgumentNullException.ThrowIfNull(later);
        if ((later._rows, later._classes, later._splits) != (_rows, _classes, _splits) || later.FirstRow != FirstRow + Count)
            throw new ArgumentException("Inception Scores of other settings, or of rows that do not follow, cannot be put together.");
        Count += later.Count;
        for (var i = 0; i < _entropies.Length; i++)
            _entropies[i] += later._entropies[i];
        for (var i = 0; i < _probabilities.Length; i++)
            _probabilities[i] += later._probabilities[i];
    }

    /// <inheritdoc/>
    public void Write(BinaryWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write(FormatVersion);
        writer.Write(_rows);
        writer.Write(_classes);
        writer.Write(FirstRow);
        writer.Write(_splits);
        writer.Write(Count);
        writer.WriteAll(_entropies.AsSpan());
        writer.WriteAll(_probabilities.AsSpan());
    }

    /// <inheritdoc/>
    public static InceptionScore Read(BinaryReader reader)
    {
        ArgumentNullException.ThrowIfNull(reader);
        return PartialSumsFormat.Read("the Inception Score", FormatVersion, reader, () =>
        {
            var (rows, classes, firstRow) = (reader.ReadInt32(), reader.ReadInt32(), reader.ReadInt32());
            var (splits, count) = (reader.ReadInt32(), reader.ReadInt32());
            reader.Expect((long)splits * (classes + 1L) * sizeof(double));
            var read = new InceptionScore(rows, classes, firstRow, splits) { Count = RowSection.Of(firstRow, count, rows).Count };
            var (entropies, probabilities) = (reader.ReadDoubles(read._splits), reader.ReadDoubles(read._probabilities.Length));
            if (entropies.Length != read._entropies.Length || probabilities.Length != read._probabilities.Length)
                throw new InvalidDataException("The Inception Score does not have all of its sums.");
            entropies.CopyTo(read._entropies, 0);
            probabilities.CopyTo(read._probabilities, 0);
            return read;
        });
    }

    /// <summary>Of n rows with probabilities p and mean q: exp(Σ(p·log p)/n - Σ(q·log q)).</summary>
    double Score(int split)
    {
        double count = Bound(split + 1) - Bound(split);
        var entropy = 0.0;
        foreach (var sum in _probabilities.AsSpan(split * _classes, _classes))
            entropy += sum > 0 ? sum / count * Math.Log(sum / count) : 0;
        return Math.Exp((_entropies[split] / count) - entropy);
    }

    void AddRow(ReadOnlySpan<float> logits, double[] exponentials, int split)
    {
        double largest = float.NegativeInfinity;
        foreach (var logit in logits)
            largest = Math.Max(largest, logit);
        var sum = 0.0;
        for (var i = 0; i < logits.Length; i++)
            sum += exponentials[i] = Math.Exp(logits[i] - largest);

        var logSum = Math.Log(sum);
        var target = _probabilities.AsSpan(split * _classes, _classes);
        var entropy = 0.0;
        for (var i = 0; i < logits.Length; i++)
        {
            var probability = exponentials[i] / sum;
            target[i] += probability;
            entropy += probability > 0 ? probability * (logits[i] - largest - logSum) : 0;
        }

        _entropies[split] += entropy;
    }

    int[] SplitOfRow()
    {
        var order = new NumpyRandomState(Seed).PermutationHead(_rows, _rows);
        var splitOfRow = new int[_rows];
        for (var split = 0; split < _splits; split++)
        {
            for (var i = Bound(split); i < Bound(split + 1); i++)
                splitOfRow[order[i]] = split;
        }

        return splitOfRow;
    }

    int Bound(int split) => (int)((long)split * _rows / _splits);
}
