using System.Collections.Concurrent;
using System.Collections.Immutable;
using Taba.Grains.Ports;
using Taba.Grains.Stages;

namespace Taba.Grains.Tests.Fakes;

/// <summary>Published parts without bytes. It outlives silos.</summary>
sealed class FakeStore : IPartCatalogue
{
    readonly ConcurrentDictionary<string, ImmutableList<Manifest>> _stages = new();
    readonly Lock _publish = new();

    /// <summary>Manifests of a stage in the order of their publication.</summary>
    public ImmutableList<Manifest> Manifests(string stageKey) => _stages.GetValueOrDefault(stageKey, []);

    /// <summary>Publishes rows create-if-absent: false when one of them is published with the same kept already.</summary>
    public bool Publish(PartAttempt attempt, RowRange rows, CaptureSelection kept, bool supplement)
    {
        lock (_publish)
        {
            var there = Manifests(attempt.StageKey);
            if (there.Any(m => m.Supplement == supplement && (!supplement || m.Kept == kept) && !m.Rows.Intersect(rows).IsEmpty))
                return false;
            _stages[attempt.StageKey] = there.Add(new(attempt, rows, kept, supplement));
            return true;
        }
    }

    /// <summary>Deletes what is published of a stage, as a user would who removes the folder.</summary>
    public void Lose(string stageKey) => _stages.TryRemove(stageKey, out _);

    /// <summary>Deletes what is published of some rows, as damage does that was made void.</summary>
    public void Lose(string stageKey, RowRange rows) =>
        _stages[stageKey] = Manifests(stageKey).RemoveAll(m => !m.Rows.Intersect(rows).IsEmpty);

    /// <summary>Rows that were asked for, over all stages.</summary>
    public ConcurrentQueue<(string StageKey, RowRange Rows)> Looks { get; } = new();

    public Task<ImmutableArray<KeptRows>> GetPublishedAsync(string stageKey, RowRange rows, CancellationToken cancellationToken)
    {
        Looks.Enqueue((stageKey, rows));
        return Task.FromResult<ImmutableArray<KeptRows>>(
        [
            .. Manifests(stageKey).Where(m => !m.Rows.Intersect(rows).IsEmpty).GroupBy(m => m.Kept)
                .Select(g => new KeptRows(g.Key, RowSet.Of([.. g.Select(m => m.Rows)]))),
        ]);
    }

    public Task<bool> HasStageAsync(string stageKey, CancellationToken cancellationToken) =>
        Task.FromResult(_stages.ContainsKey(stageKey));

    /// <summary>The step with which the rows of an attempt go on, as its checkpoint has it.</summary>
    public ConcurrentDictionary<PartAttempt, int> Reached { get; } = new();

    /// <summary>Attempts whose checkpoints cannot be read now.</summary>
    public ConcurrentDictionary<PartAttempt, bool> Unreadable { get; } = new();

    public Task<ImmutableArray<int>> GetReachedAsync(PartAttempt attempt, RowRange rows, CancellationToken cancellationToken) =>
        Unreadable.ContainsKey(attempt)
            ? throw new IOException("the store is gone")
            : Task.FromResult<ImmutableArray<int>>([.. Enumerable.Repeat(Reached.GetValueOrDefault(attempt), rows.Count)]);

    public sealed record Manifest(PartAttempt Attempt, RowRange Rows, CaptureSelection Kept, bool Supplement);
}
