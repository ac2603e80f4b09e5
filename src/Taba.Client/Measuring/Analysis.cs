using System.Text.Json.Nodes;

namespace Taba.Client.Measuring;

/// <summary>One analysis of a run.</summary>
/// <param name="Name">How it is asked for.</param>
/// <param name="What">What it tells, for help.</param>
/// <param name="Needs">Tensors without which it says nothing.</param>
/// <param name="Measure">Its numbers, by name.</param>
sealed record Analysis(string Name, string What, Role[] Needs, Func<MeasuredRun, CancellationToken, JsonObject> Measure)
{
    /// <summary>The names of files that it needs and a run lacks.</summary>
    public IReadOnlyList<string> Lacks(MeasuredRun run) => [.. Needs.Where(role => run.Tensor(role) is null).Select(run.NameOf)];
}
