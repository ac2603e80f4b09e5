using System.Collections.Immutable;
using Taba.Grains.Sweeps;
using Taba.Storage.Manifests;
using Taba.Storage.Objects;

namespace Taba.Silo.Outputs;

/// <summary>Which rows of a run's stages stand under another key, because they were computed again in a higher precision.</summary>
/// <param name="substitutions">As the sweep's status has them.</param>
sealed class SubstitutedRows(ImmutableArray<RowSubstitution> substitutions)
{
    public static readonly SubstitutedRows None = new([]);

    /// <summary>The stand-ins of a stage.</summary>
    public IEnumerable<RowSubstitution> Of(string stageKey) => substitutions.Where(s => s.StageKey == stageKey);

    /// <summary>Opens the stand-ins of a stage.</summary>
    public async Task<ImmutableArray<(RowSet Rows, StageReader Reader)>> OpenAsync(
        string stageKey, RowRange rows, TensorStore store, CancellationToken cancellationToken)
    {
        var opened = ImmutableArray.CreateBuilder<(RowSet, StageReader)>();
        foreach (var substitution in Of(stageKey))
            opened.Add((substitution.Rows, await StageReader.OpenAsync(store, substitution.SubstituteKey, rows, cancellationToken)));
        return opened.ToImmutable();
    }

    /// <summary>Rows whose own precision was raised, one entry a sample, for <c>manifest.json</c>.</summary>
    public ImmutableArray<RunRetry> Retries(IEnumerable<string> stageKeys, RowRange rows) =>
    [
        .. stageKeys.SelectMany(Of).Where(s => s.Retry is not null).SelectMany(s => s.Rows.Intersect(rows).Ranges
            .SelectMany(r => Enumerable.Range(r.Start, r.Count))
            .Select(sample => new RunRetry(
                s.StageKey, sample, s.Retry!.FromNetwork, s.Retry.ToNetwork, s.Retry.FromState, s.Retry.ToState, s.SubstituteKey))),
    ];

    /// <summary>All rows that stand elsewhere, those that only begin with such a row included.</summary>
    public ImmutableArray<RunSubstitute> Substitutes(IEnumerable<string> stageKeys, RowRange rows) =>
    [
        .. stageKeys.SelectMany(Of).SelectMany(
            s => s.Rows.Intersect(rows).Ranges.Select(r => new RunSubstitute(s.StageKey, r.Start, r.End, s.SubstituteKey))),
    ];
}
