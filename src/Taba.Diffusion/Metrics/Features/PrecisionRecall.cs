namespace Taba.Diffusion.Metrics.Features;

/// <summary>
/// Precision (which share of what was generated lies within a ball of a reference) and recall (which share of the references lies within
/// a ball of what was generated), by the radii of each set (Kynkäänniemi et al. 2019; torch-fidelity, of VGG16's features).
/// </summary>
/// <remarks>
/// The two are told apart by role. torch-fidelity changed in 2026 which of its inputs is the reference, so that upstream's script, which
/// names them by position, prints precision under recall and the reverse since then; the authors' published files are older and the right
/// way round. Counts only are kept; rows are compared in blocks of about 256 MiB. Parts are ranges of rows of either set, and equal the
/// whole exactly. Not thread-safe.
/// </remarks>
public sealed class PrecisionRecall : IPartialSums<PrecisionRecall>
{
    const int FormatVersion = 1;

    long _generated;
    long _generatedInside;
    long _references;
    long _referencesInside;

    /// <summary>Counts some of the generated features.</summary>
    /// <param name="generated">All of them.</param>
    /// <param name="first">The first of this part.</param>
    /// <param name="count">How many.</param>
    /// <param name="reference">All features of the reference.</param>
    /// <param name="radii">Radii of all of those.</param>
    /// <param name="cancellation">Ends the work between two blocks; then nothing was counted.</param>
    /// <exception cref="ArgumentException">Radii are missing, or features have other lengths.</exception>
    public void AddGenerated(
        IRowAccess generated, long first, long count, IRowAccess reference, ManifoldRadii radii, CancellationToken cancellation = default)
    {
        _generatedInside += Inside(generated, first, count, reference, radii, cancellation);
        _generated += count;
    }

    /// <summary>Counts some of the features of the reference.</summary>
    /// <param name="reference">All of them.</param>
    /// <param name="first">The first of this part.</param>
    /// <param name="count">How many.</param>
    /// <param name="generated">All generated features.</param>
    /// <param name="radii">Radii of all of those.</param>
    /// <param name="cancellation">Ends the work between two blocks; then nothing was counted.</param>
    /// <exception cref="ArgumentException">Radii are missing, or features have other lengths.</exception>
    public void AddReference(
        IRowAccess reference, long first, long count, IRowAccess generated, ManifoldRadii radii, CancellationToken cancellation = default)
    {
        _referencesInside += Inside(reference, first, count, generated, radii, cancellation);
        _references += count;
    }

    /// <summary>The shares, 0 to 1; NaN without rows.</summary>
    public PrecisionRecallShares Compute() =>
        new((double)_generatedInside / _generated, (double)_referencesInside / _references);

    /// <inheritdoc/>
    public void Merge(PrecisionRecall later)
    {
        ArgumentNullException.ThrowIfNull(later);
        _generated += later._generated;
        _generatedInside += later._generatedInside;
        _references += later._references;
        _referencesInside += later._referencesInside;
    }

    /// <inheritdoc/>
    public void Write(BinaryWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write(FormatVersion);
        writer.Write(_generated);
        writer.Write(_generatedInside);
        writer.Write(_references);
        writer.Write(_referencesInside);
    }

    /// <inheritdoc/>
    public static PrecisionRecall Read(BinaryReader reader)
    {
        ArgumentNullException.ThrowIfNull(reader);
        return PartialSumsFormat.Read("precision and recall", FormatVersion, reader, () => new PrecisionRecall
        {
            _generated = reader.ReadInt64(),
            _generatedInside = reader.ReadInt64(),
            _references = reader.ReadInt64(),
            _referencesInside = reader.ReadInt64(),
        });
    }

    static long Inside(
        IRowAccess rows, long first, long count, IRowAccess centres, ManifoldRadii radii, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(rows);
        ArgumentNullException.ThrowIfNull(centres);
        ArgumentNullException.ThrowIfNull(radii);
        if (radii.FirstRow != 0 || radii.Count != centres.Rows)
            throw new ArgumentException(
                $"Precision and recall need the radii of all {centres.Rows} features; there are {radii.Count} from row "
                + $"{radii.FirstRow} on.");

        var all = 0L;
        bool[] inside = [];
        RowBlocks.SquaredDistances(
            rows,
            RowSection.Of(first, count, rows.Rows),
            centres,
            RowSection.Of(0, centres.Rows, centres.Rows),
            (outer, inner, distances) =>
            {
                if (inner.First == 0)
                    inside = new bool[outer.Count];
                for (var i = 0; i < outer.Count; i++)
                {
                    for (var j = 0; j < inner.Count && !inside[i]; j++)
                        inside[i] = distances[(i * inner.Count) + j] <= radii.Squared[(int)inner.First + j];
                }

                if (inner.End == centres.Rows)
                    all += inside.Count(value => value);
            },
            cancellation);
        return all;
    }
}

/// <summary>Shares between 0 and 1.</summary>
/// <param name="Precision">Of the generated features, those within a ball of the reference.</param>
/// <param name="Recall">Of the reference's features, those within a ball of the generated.</param>
public readonly record struct PrecisionRecallShares(double Precision, double Recall)
{
    /// <summary>Their harmonic mean, as torch-fidelity: 2·P·R / max(1e-5, P + R).</summary>
    public double FScore => 2 * Precision * Recall / Math.Max(1e-5, Precision + Recall);
}
