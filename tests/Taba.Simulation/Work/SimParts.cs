using Taba.Grains.Models;
using Taba.Grains.Stages;

namespace Taba.Simulation.Work;

/// <summary>The parts that a silo has prepared and not yet published.</summary>
sealed class SimParts
{
    readonly Dictionary<Guid, SimPart> _parts = [];

    public IReadOnlyList<SimPart> All => [.. _parts.Values];

    public void Add(SimPart part) => _parts[part.Lease.Attempt.Id] = part;

    public SimPart? Find(PartAttempt attempt) => _parts.GetValueOrDefault(attempt.Id);

    public SimPart? Remove(PartAttempt attempt) => _parts.Remove(attempt.Id, out var part) ? part : null;
}

/// <summary>An attempt at a part while it runs.</summary>
sealed class SimPart(PartLease lease, ModelAddress? model)
{
    bool _gaveUp;

    public PartLease Lease => lease;

    public ModelAddress? Model => model;

    /// <summary>For each row the step where it begins.</summary>
    public Dictionary<int, int> Starts { get; } = [];

    /// <summary>Evaluations that have begun, those behind checkpoints included.</summary>
    public long Begun { get; set; }

    /// <summary>Evaluations of each row.</summary>
    public Dictionary<int, long> Evaluations { get; } = [];

    /// <summary>True the first time.</summary>
    public bool TryGiveUp() => !_gaveUp && (_gaveUp = true);
}
