namespace Taba.Grains.Parts;

/// <summary>What kept an attempt at a part from going on.</summary>
/// <param name="Kind">Whose fault it is.</param>
/// <param name="Reason">What happened, in words.</param>
[GenerateSerializer, Immutable, Alias("taba.PartFault")]
public sealed record PartFault(PartFaultKind Kind, string Reason);

/// <summary>Whose fault it is that an attempt at a part cannot go on.</summary>
public enum PartFaultKind
{
    /// <summary>The store or the checkpoints: a full disk, a server that is gone.</summary>
    Store,

    /// <summary>The engine or its device: every row fails alike, or the device is broken.</summary>
    Engine,

    /// <summary>A call to another grain failed; the part itself may be fine.</summary>
    Cluster,

    /// <summary>The silo cannot serve the model; another one may.</summary>
    Model,
}
