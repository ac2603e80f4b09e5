namespace Taba.Diffusion.Metrics.Neighbours;

/// <summary>
/// How often the noise nearest to a sample is the one it was made from, and the reverse, by mean squared difference (paper, Appendix N;
/// upstream's mse_classify_distances.py and its release's distance_classification.py). As upstream, the rows are cut into divisions, each
/// is classified by itself, and mean and unbiased deviation are over divisions: an accuracy depends on how many candidates there are.
/// </summary>
/// <remarks>
/// Every row is compared with every other of its division, so rows are read again and again: about 256 MiB of them are held, and two
/// counts a division. Parts are ranges of rows; counts of parts are added up and equal the whole exactly. Not thread-safe.
/// </remarks>
public sealed class NearestPartners : IPartialSums<NearestPartners>
{
    /// <summary>Upstream's number of divisions.</summary>
    public const int DefaultDivisions = 8;

    const int FormatVersion = 1;

    readonly long _rows;
    readonly int _divisions;
    readonly int _topK;
    readonly bool _keepRest;
    readonly long[] _measured;
    readonly long[] _noiseHits;
    readonly long[] _sampleHits;

    /// <param name="rows">N.</param>
    /// <param name="divisions">1 or more; at most N.</param>
    /// <param name="topK">A partner among this many nearest counts as found, 1 or more.</param>
    /// <param name="keepRest">
    /// Whether the rows that N / divisions leaves over are spread over the divisions; upstream drops them.
    /// </param>
    /// <exception cref="ArgumentException">There are fewer rows than divisions, or a number is not positive.</exception>
    public NearestPartners(long rows, int divisions = DefaultDivisions, int topK = 1, bool keepRest = false)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(divisions, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(topK, 1);
        if (rows < divisions)
            throw new ArgumentException($"{rows} rows cannot be cut into {divisions} divisions.", nameof(rows));
        (_rows, _divisions, _topK, _keepRest) = (rows, divisions, topK, keepRest);
        (_measured, _noiseHits, _sampleHits) = (new long[divisions], new long[divisions], new long[divisions]);
    }

    /// <summary>Measures some rows, both as noise and as samples.</summary>
    /// <param name="noise">All N rows of the noise.</param>
    /// <param name="samples">All N rows of the samples; row i was made from row i of the noise.</param>
    /// <param name="first">The first row of this part.</param>
    /// <param name="count">How many.</param>
    /// <param name="cancellation">Ends the work between two blocks; then nothing of the division was counted.</param>
    /// <exception cref="ArgumentException">There are not N rows, or they have other lengths.</exception>
    public void Measure(IRowAccess noise, IRowAccess samples, long first, long count, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(noise);
        ArgumentNullException.ThrowIfNull(samples);
        if (noise.Rows != _rows || samples.Rows != _rows)
            throw new ArgumentException($"The nearest partners of {_rows} rows are asked for; there are {noise.Rows} and {samples.Rows}.");

        var part = RowSection.Of(first, count, _rows);
        for (var i = 0; i < _divisions; i++)
        {
            var division = Division(i);
            var rows = part.Intersect(division);
            if (rows.Count == 0)
                continue;

            var ofSamples = Hits(samples, rows, noise, division, cancellation);
            var ofNoise = Hits(noise, rows, samples, division, cancellation);
            _measured[i] += rows.Count;
            _noiseHits[i] += ofSamples;
            _sampleHits[i] += ofNoise;
        }
    }

    /// <summary>The accuracies.</summary>
    /// <exception cref="InvalidOperationException">Rows are missing, or were measured twice.</exception>
    public PartnerAccuracy Compute()
    {
        for (var i = 0; i < _divisions; i++)
        {
            if (_measured[i] != Division(i).Count)
                throw new InvalidOperationException(
                    $"Division {i} of the nearest partners has {Division(i).Count} rows; {_measured[i]} were measured.");
        }

        return new(Accuracy(_noiseHits), Accuracy(_sampleHits));
    }

    /// <inheritdoc/>
    public void Merge(NearestPartners later)
    {
        ArgumentNullException.ThrowIfNull(later);
        if ((later._rows, later._divisions, later._topK, later._keepRest) != (_rows, _divisions, _topK, _keepRest))
            throw new ArgumentException("Nearest partners of other rows or settings cannot be put together.", nameof(later));
        for (var i = 0; i < _divisions; i++)
        {
            _measured[i] += later._measured[i];
            _noiseHits[i] += later._noiseHits[i];
            _sampleHits[i] += later._sampleHits[i];
        }
    }

    /// <inheritdoc/>
    public void Write(BinaryWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write(FormatVersion);
        writer.Write(_rows);
        writer.Write(_divisions);
        writer.Write(_topK);
        writer.Write(_keepRest);
        writer.WriteAll(_measured);
        writer.WriteAll(_noiseHits);
        writer.WriteAll(_sampleHits);
    }

    /// <inheritdoc/>
    public static NearestPartners Read(BinaryReader reader)
    {
        ArgumentNullException.ThrowIfNull(reader);
        return PartialSumsFormat.Read("the nearest partners", FormatVersion, reader, () =>
        {
            var (rows, divisions) = (reader.ReadInt64(), reader.ReadInt32());
            var (topK, keepRest) = (reader.ReadInt32(), reader.ReadBoolean());

            // Memory only for what is there: a division is checked against the counts that follow.
            var measured = reader.ReadLongs(divisions);
            var noiseHits = reader.ReadLongs(divisions);
            var sampleHits = reader.ReadLongs(divisions);
            if (measured.Length != divisions || noiseHits.Length != divisions || sampleHits.Length != divisions)
                throw new InvalidDataException("The nearest partners do not have a count for each division.");
            var read = new NearestPartners(rows, divisions, topK, keepRest);
            measured.CopyTo(read._measured, 0);
            noiseHits.CopyTo(read._noiseHits, 0);
            sampleHits.CopyTo(read._sampleHits, 0);
            return read;
        });
    }

    RowSection Division(int index)
    {
        if (!_keepRest)
            return new(index * (_rows / _divisions), checked((int)(_rows / _divisions)));
        var first = index * _rows / _divisions;
        return new(first, checked((int)(((index + 1) * _rows / _divisions) - first)));
    }

    MeanStd Accuracy(long[] hits) =>
        MeanStd.Unbiased([.. hits.Select((hit, i) => (double)hit / Division(i).Count)]);

    long Hits(IRowAccess queries, RowSection rows, IRowAccess candidates, RowSection division, CancellationToken cancellation)
    {
        var hits = 0L;
        Nearest.Find(
            queries,
            rows,
            candidates,
            division,
            Math.Min(_topK, division.Count),
            withoutItself: false,
            (block, nearest) =>
            {
                for (var i = 0; i < block.Count; i++)
                    hits += nearest.Rows(i).Contains(block.First + i) ? 1 : 0;
            },
            cancellation);
        return hits;
    }
}

/// <summary>Accuracies between 0 and 1: mean and unbiased deviation over divisions (NaN of one division).</summary>
/// <param name="NoiseOfSample">Samples whose own noise is among the nearest (closest_noise_to_sample_acc).</param>
/// <param name="SampleOfNoise">Noise whose own sample is (closest_sample_to_noise_acc).</param>
public readonly record struct PartnerAccuracy(MeanStd NoiseOfSample, MeanStd SampleOfNoise);
