using Taba.Diffusion.Metrics.Experiments;

namespace Taba.Diffusion.Metrics.Analyses;

/// <summary>An analysis that can be made of a run.</summary>
/// <param name="Name">How it is asked for.</param>
/// <param name="What">What it tells, for help.</param>
/// <param name="Needs">Tensors without which it says nothing.</param>
/// <param name="Create">Begins it for rows from <c>firstRow</c> on.</param>
public sealed record Analysis(string Name, string What, TensorRole[] Needs, Func<IRunTensors, long, RunAnalysis> Create)
{
    /// <summary>Fewer samples say nothing, or cannot be measured.</summary>
    public int LeastRows { get; init; } = 1;

    /// <summary>True when it compares every row with every other, or reads every step: it is done when it is asked for by name.</summary>
    public bool IsCostly { get; init; }

    /// <summary>False when it cannot be made of some rows and put together with what others made of the rest.</summary>
    public bool InParts { get; init; } = true;

    /// <summary>What else a run must have, besides tensors: says why it cannot be made of one, or null.</summary>
    public Func<IRunTensors, string?> Lacks { get; init; } = static _ => null;

    /// <summary>Begins it.</summary>
    /// <param name="run">The run: <see cref="WhyNot"/> says nothing of it.</param>
    /// <param name="firstRow">The first row that it will measure.</param>
    public RunAnalysis Begin(IRunTensors run, long firstRow = 0) => Create(run, firstRow);

    /// <summary>Makes it of all rows.</summary>
    /// <exception cref="InvalidDataException">Tensors are not of the same samples.</exception>
    public ExperimentNumbers Measure(IRunTensors run, CancellationToken cancellationToken)
    {
        using var analysis = Begin(run);
        analysis.Measure(0, Needs.Length > 0 ? run.RowsOf(Needs) : run.Each().Max(tensor => tensor.Rows.Rows), cancellationToken);
        return analysis.Compute();
    }

    /// <summary>Why it cannot be made of a run; null when it can.</summary>
    public string? WhyNot(IRunTensors run)
    {
        ArgumentNullException.ThrowIfNull(run);
        var lacking = Needs.Where(role => run.Tensor(role) is null).Select(run.NameOf).ToList();
        if (lacking.Count > 0)
            return $"the folder has no {string.Join(", no ", lacking)}";
        var rows = Needs.Select(role => run.Tensor(role)!.Rows).DefaultIfEmpty(LeastRows).Min();
        return rows < LeastRows ? $"it needs {LeastRows} samples, and there are {rows}" : Lacks(run);
    }
}
