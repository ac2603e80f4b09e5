using System.Collections.Concurrent;
using Taba.Grains.Stages;

namespace Taba.Silo.Engines;

/// <summary>The parts that this silo has prepared and not yet published.</summary>
sealed class ActiveParts
{
    readonly ConcurrentDictionary<Guid, ActivePart> _parts = new();

    public void Add(ActivePart part) => _parts[part.Lease.Attempt.Id] = part;

    public ActivePart? Find(PartAttempt attempt) => _parts.GetValueOrDefault(attempt.Id);

    public ActivePart Get(PartAttempt attempt) =>
        Find(attempt) ?? throw new InvalidOperationException($"Part {attempt} is not prepared on this silo.");

    /// <summary>Parts whose rows a device computes.</summary>
    public IReadOnlyList<ActivePart> On(string device) => [.. _parts.Values.Where(part => part.Device == device)];

    public ActivePart? Remove(PartAttempt attempt) => _parts.TryRemove(attempt.Id, out var part) ? part : null;
}
