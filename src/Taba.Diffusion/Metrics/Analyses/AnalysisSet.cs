using Taba.Diffusion.Metrics.Experiments;

namespace Taba.Diffusion.Metrics.Analyses;

/// <summary>Several analyses of one run under way. Those that cannot be made of it are left out. Not thread-safe.</summary>
public sealed class AnalysisSet : IDisposable
{
    const int FormatVersion = 1;

    readonly List<(string Name, RunAnalysis Analysis)> _analyses = [];

    /// <summary>Begins them.</summary>
    /// <param name="names">Names of <see cref="AllAnalyses"/>.</param>
    /// <param name="run">The run, with all of its rows.</param>
    /// <param name="firstRow">The first row that will be measured.</param>
    public AnalysisSet(IEnumerable<string> names, IRunTensors run, long firstRow = 0)
        : this(names.Select(AllAnalyses.Find).OfType<Analysis>(), run, firstRow)
    {
    }

    /// <summary>Begins them.</summary>
    /// <param name="analyses">Which, in an order that is the same wherever parts of a run are measured.</param>
    /// <param name="run">The run, with all of its rows.</param>
    /// <param name="firstRow">The first row that will be measured.</param>
    public AnalysisSet(IEnumerable<Analysis> analyses, IRunTensors run, long firstRow = 0)
    {
        ArgumentNullException.ThrowIfNull(analyses);
        try
        {
            foreach (var analysis in analyses.Where(analysis => analysis.WhyNot(run) is null))
                _analyses.Add((analysis.Name, analysis.Begin(run, firstRow)));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Takes in rows that follow those that were measured.</summary>
    public void Measure(long first, long count, CancellationToken cancellationToken)
    {
        foreach (var (_, analysis) in _analyses)
            analysis.Measure(first, count, cancellationToken);
    }

    /// <summary>Takes in what was kept of the rows that follow these.</summary>
    public void Merge(AnalysisSet later)
    {
        ArgumentNullException.ThrowIfNull(later);
        if (!_analyses.Select(a => a.Name).SequenceEqual(later._analyses.Select(a => a.Name)))
            throw new ArgumentException("Other analyses cannot be taken in.", nameof(later));
        foreach (var (mine, theirs) in _analyses.Zip(later._analyses))
            mine.Analysis.Merge(theirs.Analysis);
    }

    /// <summary>Writes all that <see cref="Read"/> needs.</summary>
    public void Write(BinaryWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write(FormatVersion);
        writer.Write(_analyses.Count);
        foreach (var (name, analysis) in _analyses)
        {
            writer.Write(name);
            analysis.Write(writer);
        }
    }

    /// <summary>Takes what <see cref="Write"/> wrote in place of what was measured.</summary>
    /// <exception cref="InvalidDataException">It is something else.</exception>
    public void Read(BinaryReader reader)
    {
        ArgumentNullException.ThrowIfNull(reader);
        PartialSumsFormat.Read("analyses", FormatVersion, reader, () =>
        {
            var count = reader.ReadInt32();
            if (count != _analyses.Count)
                throw new InvalidDataException($"There are partial sums of {count} analyses, not of {_analyses.Count}.");
            foreach (var (name, analysis) in _analyses)
            {
                if (reader.ReadString() is var found && found != name)
                    throw new InvalidDataException($"There are partial sums of the analysis {found}, not of {name}.");
                analysis.Read(reader);
            }
            return count;
        });
    }

    /// <summary>What was found, by the names of the analyses.</summary>
    public IReadOnlyDictionary<string, ExperimentNumbers> Compute() => _analyses.ToDictionary(a => a.Name, a => a.Analysis.Compute());

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var (_, analysis) in _analyses)
            analysis.Dispose();
    }
}
