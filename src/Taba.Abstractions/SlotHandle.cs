using Orleans;

namespace Taba;

/// <summary>A row of an engine's state tensor while one trajectory occupies it, or the place in the queue for one.</summary>
/// <param name="Incarnation">The engine's identity: a handle of an engine that is gone fails, it never touches another sample.</param>
/// <param name="Index">Number of the trajectory within the engine's life.</param>
// The alias is older than the name: state that silos stored carries it.
[GenerateSerializer, Immutable, Alias("taba.SlotTicket")]
public readonly record struct SlotHandle(Guid Incarnation, long Index);
