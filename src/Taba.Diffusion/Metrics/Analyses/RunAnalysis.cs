using Taba.Diffusion.Metrics.Experiments;

namespace Taba.Diffusion.Metrics.Analyses;

/// <summary>
/// An analysis of a run under way: rows are measured in parts, on any machine, and the parts put together in the order of their rows.
/// Not thread-safe.
/// </summary>
public abstract class RunAnalysis : IDisposable
{
    readonly List<ISums> _sums = [];

    /// <summary>Takes in rows that follow those that were measured.</summary>
    /// <exception cref="InvalidDataException">Tensors are not of the same samples.</exception>
    public abstract void Measure(long first, long count, CancellationToken cancellationToken);

    /// <summary>What was found, of all rows.</summary>
    public abstract ExperimentNumbers Compute();

    /// <summary>Takes in what was kept of the rows that follow these.</summary>
    /// <param name="later">The same analysis of the same run.</param>
    public void Merge(RunAnalysis later)
    {
        ArgumentNullException.ThrowIfNull(later);
        if (later.GetType() != GetType() || later._sums.Count != _sums.Count)
            throw new ArgumentException("Another analysis cannot be taken in.", nameof(later));
        foreach (var (mine, theirs) in _sums.Zip(later._sums))
            mine.Merge(theirs);
    }

    /// <summary>Writes all that <see cref="Read"/> needs.</summary>
    public void Write(BinaryWriter writer)
    {
        foreach (var sums in _sums)
            sums.Write(writer);
    }

    /// <summary>Takes what <see cref="Write"/> wrote in place of what was measured.</summary>
    /// <exception cref="InvalidDataException">It is something else.</exception>
    public void Read(BinaryReader reader)
    {
        foreach (var sums in _sums)
            sums.Read(reader);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var sums in _sums)
            sums.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>What is kept of the rows: everything that parts need to be put together.</summary>
    protected Sums<T> Keep<T>(T sums)
        where T : IPartialSums<T>
    {
        var kept = new Sums<T>(sums);
        _sums.Add(kept);
        return kept;
    }

    interface ISums : IDisposable
    {
        void Merge(ISums later);

        void Write(BinaryWriter writer);

        void Read(BinaryReader reader);
    }

    /// <summary>Partial sums that can be replaced by others that were written.</summary>
    protected sealed class Sums<T>(T value) : ISums
        where T : IPartialSums<T>
    {
        public T Value { get; private set; } = value;

        public void Write(BinaryWriter writer) => Value.Write(writer);

        public void Read(BinaryReader reader)
        {
            var read = T.Read(reader);
            Dispose();
            Value = read;
        }

        public void Dispose() => (Value as IDisposable)?.Dispose();

        void ISums.Merge(ISums later) => Value.Merge(((Sums<T>)later).Value);
    }
}
