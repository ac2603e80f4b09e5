using System.Text.Json.Nodes;

namespace Taba.Client.Measuring;

/// <summary>One analysis of a run.</summary>
/// <param name="Name">How it is asked for.</param>
/// <param name="What">What it tells, for help.</param>
/// <param name="Needs">Tensors without which it says nothing.</param>
/// <param name="Measure">Its numbers, by name.</param>
sealed record Analysis(string Name, string What, Role[] Needs, Func<MeasuredRun, CancellationToken, JsonObject> Measure)
{
    /// <summary>Fewer samples say nothing, or cannot be measured.</summary>
    public int LeastRows { get; init; } = 1;

    /// <summary>True when it compares every row with every other: it is done when it is asked for by name.</summary>
    public bool IsCostly { get; init; }

    /// <summary>Why it cannot be made of a run; null when it can.</summary>
    public string? WhyNot(MeasuredRun run)
    {
        var lacking = Needs.Where(role => run.Tensor(role) is null).Select(run.NameOf).ToList();
        if (lacking.Count > 0)
            return $"the folder has no {string.Join(", no ", lacking)}";
        var rows = Needs.Select(role => run.Tensor(role)!.Rows).DefaultIfEmpty(LeastRows).Min();
        return rows < LeastRows ? $"it needs {LeastRows} samples, and there are {rows}" : null;
    }
}
