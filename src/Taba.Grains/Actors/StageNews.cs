using System.Collections.Immutable;
using Taba.Grains.Dispatch;
using Taba.Grains.Stages;
using Taba.Grains.Sweeps;

namespace Taba.Grains.Actors;

/// <summary>
/// Tells others what became of a stage: the dispatcher what there is to do, each sweep how its rows stand, each stage that reads this one
/// which rows there are. In one grain's turns only.
/// </summary>
/// <param name="activation">Names this activation of the stage.</param>
/// <param name="offer">What there is to do now; the version is set here. Null before anybody asked for anything.</param>
/// <param name="status">How the stage stands for a sweep.</param>
/// <param name="published">Rows with at least this kept.</param>
sealed class StageNews(
    IGrainFactory grains, string stageKey, Guid activation, Func<StageOffer?> offer, Func<string, ValueTask<StageStatus>> status,
    Func<CaptureSelection, RowSet> published, TimeProvider time)
{
    /// <summary>A reader that has not asked for so long does not read any more.</summary>
    static readonly TimeSpan s_followsFor = TimeSpan.FromSeconds(60);

    readonly Dictionary<string, Teller> _sweeps = [];
    readonly Dictionary<string, StageStatus> _toldSweeps = [];
    readonly Dictionary<(string Reader, CaptureSelection Need), Reader> _readers = [];
    NewsVersion _version = new(activation, 0);
    Teller? _dispatcher;
    StageOffer? _offered;
    bool _again;

    /// <summary>Rows, leases or demands changed.</summary>
    /// <param name="demands">The sweeps that want rows now.</param>
    public void Changed(ImmutableArray<StageDemand> demands)
    {
        (_dispatcher ??= new(OfferAsync, time)).Changed();
        foreach (var demand in demands)
            Teller(demand.SweepId).Changed();
        foreach (var reader in _readers.Values)
            reader.Teller.Changed();
    }

    /// <summary>Parts got on; nothing else changed.</summary>
    /// <inheritdoc cref="Changed" path="/param"/>
    public void Advanced(ImmutableArray<StageDemand> demands)
    {
        foreach (var demand in demands)
            Teller(demand.SweepId).Changed();
    }

    /// <summary>Says everything again, whether or not it is new: somebody may have forgotten it.</summary>
    /// <inheritdoc cref="Changed" path="/param"/>
    public void Repeat(ImmutableArray<StageDemand> demands)
    {
        _again = true;
        _toldSweeps.Clear();
        foreach (var silent in _readers.Where(r => time.GetElapsedTime(r.Value.AskedAt) > s_followsFor).ToList())
        {
            silent.Value.Teller.Stop();
            _readers.Remove(silent.Key);
        }
        foreach (var gone in _sweeps.Keys.Except(demands.Select(d => d.SweepId)).ToList())
        {
            _sweeps[gone].Stop();
            _sweeps.Remove(gone);
        }
        Changed(demands);
    }

    /// <summary>Another stage wants to be told.</summary>
    /// <returns>What holds now.</returns>
    public InputReport Follow(string key, CaptureSelection need)
    {
        if (!_readers.TryGetValue((key, need), out var reader))
        {
            reader = _readers[(key, need)] = new();
            var grain = grains.GetGrain<IStageGrain>(StageAddress.GrainKey(key));
            reader.Teller = new(
                async () =>
                {
                    var rows = published(need);
                    if (reader.Told == rows)
                        return;
                    await grain.InputsChangedAsync(new(stageKey, need, NextVersion(), rows));
                    reader.Told = rows;
                },
                time);
        }
        reader.AskedAt = time.GetTimestamp();
        return new(stageKey, need, NextVersion(), published(need));
    }

    /// <summary>Says nothing more.</summary>
    public void Stop()
    {
        _dispatcher?.Stop();
        foreach (var teller in _sweeps.Values.Concat(_readers.Values.Select(r => r.Teller)))
            teller.Stop();
    }

    Teller Teller(string sweepId)
    {
        if (_sweeps.TryGetValue(sweepId, out var teller))
            return teller;
        var sweep = grains.GetGrain<ISweepGrain>(sweepId);
        return _sweeps[sweepId] = new(
            async () =>
            {
                var version = NextVersion();
                var now = await status(sweepId);
                if (_toldSweeps.GetValueOrDefault(sweepId) == now)
                    return;
                await sweep.StageChangedAsync(new(version, now));
                _toldSweeps[sweepId] = now;
            },
            time);
    }

    async Task OfferAsync()
    {
        if (offer() is not { } now)
            return;
        if (!_again && _offered is not null && Same(_offered, now))
            return;
        _again = false;
        _offered = now = now with { Version = NextVersion() };
        try
        {
            await grains.GetGrain<IDispatcherGrain>(0).OfferAsync(now);
        }
        catch
        {
            _again = true;
            throw;
        }
    }

    static bool Same(StageOffer a, StageOffer b) =>
        a.Work == b.Work && a.Inputs.SequenceEqual(b.Inputs) && a.Rows.SequenceEqual(b.Rows)
        && a.Pauses.Select(p => p.Worker).SequenceEqual(b.Pauses.Select(p => p.Worker));

    NewsVersion NextVersion() => _version = _version.Next;

    sealed class Reader
    {
        public Teller Teller { get; set; } = null!;

        public long AskedAt { get; set; }

        public RowSet? Told { get; set; }
    }
}
