namespace Taba.Grains.Models;

/// <summary>An engine at one moment.</summary>
/// <param name="Model">The model's name; empty before it was first loaded.</param>
/// <param name="Residency">Whether it is on the device.</param>
/// <param name="Slots">Trajectories that it runs at once; 0 when it is not loaded.</param>
/// <param name="SlotsInUse">Slots that are taken.</param>
/// <param name="Pending">Trajectories that wait for a slot.</param>
/// <param name="BatchLimit">The most rows of a forward pass at present.</param>
/// <param name="Evaluations">Rows that went through the network, since the silo began.</param>
/// <param name="Passes">Forward passes, since the silo began.</param>
/// <param name="InPass">How long the pass under way takes so far; null between passes.</param>
/// <param name="Fault">What last kept it, or its device, from going on; null when nothing does.</param>
[GenerateSerializer, Immutable, Alias("taba.EngineStatus")]
public sealed record EngineStatus(
    string Model, EngineResidency Residency, int Slots, int SlotsInUse, int Pending, int BatchLimit, long Evaluations, long Passes,
    TimeSpan? InPass, string? Fault);

/// <summary>Whether a model is on its device.</summary>
public enum EngineResidency
{
    /// <summary>It is not there.</summary>
    Unloaded,

    /// <summary>It is on its way.</summary>
    Loading,

    /// <summary>It is there.</summary>
    Loaded,
}
