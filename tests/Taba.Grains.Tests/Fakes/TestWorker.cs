using Taba.Grains.Parts;
using Taba.Grains.Stages;
using Taba.Grains.Sweeps;

namespace Taba.Grains.Tests.Fakes;

/// <summary>Pulls parts as a silo's worker does, in the test's own time.</summary>
sealed class TestWorker(TestSilo silo, string name = "worker")
{
    static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(20);

    readonly HashSet<PartAttempt> _held = [];
    int? _freshRow;

    /// <summary>Parts that this worker leased, in order.</summary>
    public List<PartLease> Leased { get; } = [];

    /// <summary>Works on a sweep until it ends or nothing moves any more; returns its last status.</summary>
    /// <param name="sweepId">The sweep.</param>
    /// <param name="room">Parts held at once.</param>
    public async Task<SweepStatus> RunAsync(string sweepId, int room = 2)
    {
        while (true)
        {
            // A stage that finds nothing to hand out may find what the store has, and then those that read it have something.
            while (_held.Count < room && (await LeaseOneAsync(sweepId) ?? await LeaseOneAsync(sweepId)) is { } lease)
                await StartAsync(lease);
            if (_held.Count == 0)
                return await silo.Sweep(sweepId).GetStatusAsync();
            await PartEndedAsync();
        }
    }

    /// <summary>
    /// As a silo's worker does, again and again: what only verifies has the epoch of the attempt before, whose grain refuses it until it
    /// has gone.
    /// </summary>
    async Task StartAsync(PartLease lease)
    {
        using var patience = new CancellationTokenSource(TestSilo.Patience);
        while (!await silo.Grains.GetGrain<IPartGrain>(lease.Attempt.PartKey).StartAsync(lease))
            await Task.Delay(s_pause, patience.Token);
    }

    public async Task<PartLease?> LeaseOneAsync(string sweepId)
    {
        if ((await silo.Grains.GetGrain<ISweepIndexGrain>(0).GetLiveAsync()).All(s => s.SweepId != sweepId || s.Paused))
            return null;
        await silo.Sweep(sweepId).WakeAsync();
        foreach (var stage in silo.StagesOf(sweepId))
        {
            if (await silo.Stage(stage).LeaseAsync(name, _freshRow) is not { } lease)
                continue;
            Leased.Add(lease);
            _held.Add(lease.Attempt);
            return lease;
        }
        return null;
    }

    async Task PartEndedAsync()
    {
        using var patience = new CancellationTokenSource(TestSilo.Patience);
        var waits = _held.Select(a => a.StageKey).Distinct().Select(
            key => silo.Signal.Ended(key).WaitToReadAsync(patience.Token).AsTask()).ToList();
        try
        {
            await await Task.WhenAny(waits);
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"None of the parts {string.Join(", ", _held)} ended within {TestSilo.Patience}.");
        }
        foreach (var key in _held.Select(a => a.StageKey).Distinct().ToList())
        {
            while (silo.Signal.Ended(key).TryRead(out var ended))
            {
                _held.Remove(ended.Attempt);
                if (!ended.Published.IsEmpty)
                    _freshRow = ended.Published.Ranges[0].Start;
            }
        }
    }
}
