using Taba.Grains.Stages;

namespace Taba.Grains.Actors;

/// <summary>
/// The rows of other stages that a stage reads, as those tell it: results, and what a swap needs kept of them. In one grain's turns only.
/// </summary>
sealed class InputRows(IGrainFactory grains, string ownKey)
{
    static readonly RowSet s_all = RowSet.Of(new RowRange(0, int.MaxValue));

    readonly Dictionary<(string StageKey, CaptureSelection Need), InputReport?> _inputs = [];
    RowSet? _ready;
    StageSpec? _spec;
    Task _following = Task.CompletedTask;

    /// <summary>Rows whose inputs are all there, as far as known; all rows of a stage that reads no other.</summary>
    public RowSet Ready
    {
        get
        {
            if (_ready is not null)
                return _ready;
            var inputs = _inputs.Values.Aggregate(s_all, (rows, input) => rows.Intersect(input?.Rows ?? RowSet.Empty));
            return _ready = _spec?.Ready(inputs) ?? inputs;
        }
    }

    /// <summary>The stages that are read.</summary>
    public IEnumerable<string> Stages => _inputs.Keys.Select(i => i.StageKey).Distinct();

    public void Open(StageSpec? spec)
    {
        if (spec is null)
            return;
        (_spec, _ready) = (spec, null);
        var swapped = spec.Swap is { Source: StageRows source } ? source.Key : null;
        foreach (var key in spec.InputKeys)
        {
            if (key != swapped || key == spec.ParentKey)
                _inputs.TryAdd((key, CaptureSelection.None), null);
            if (key == swapped)
                _inputs.TryAdd((key, CaptureSelection.ForSwap(spec.Swap!.Kind, spec.Swap.Before, spec.NumInferenceSteps)), null);
        }
    }

    /// <summary>Takes what a stage says now.</summary>
    /// <returns>Whether that is news.</returns>
    public bool Take(InputReport report)
    {
        var key = (report.StageKey, report.Need);
        if (!_inputs.TryGetValue(key, out var known) || (known is not null && report.Version.IsStale(known.Version)))
            return false;
        _inputs[key] = report;
        _ready = null;
        return known?.Rows != report.Rows;
    }

    /// <summary>Asks the stages that are read, and to be told from now on.</summary>
    /// <returns>Whether anything is new.</returns>
    public async Task<bool> FollowAsync()
    {
        var reports = await Task.WhenAll(_inputs.Keys.ToList().Select(
            i => grains.GetGrain<IStageGrain>(StageAddress.GrainKey(i.StageKey)).FollowAsync(ownKey, i.Need).AsTask()));
        return reports.Aggregate(false, (news, report) => Take(report) || news);
    }

    /// <summary>Asks them beside the grain's calls: they may not answer.</summary>
    /// <param name="changed">Called when anything is new.</param>
    public void FollowSoon(Action changed)
    {
        if (!_following.IsCompleted)
            return;
        _following = FollowAndTellAsync();
        _following.Ignore();

        async Task FollowAndTellAsync()
        {
            await Task.Yield();
            if (await FollowAsync())
                changed();
        }
    }
}
