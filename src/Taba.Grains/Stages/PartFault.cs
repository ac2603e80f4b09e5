namespace Taba.Grains.Stages;

/// <summary>The reason why an attempt at a part cannot go on.</summary>
/// <param name="Kind">The owner of the fault.</param>
/// <param name="Reason">What happened, in words.</param>
[GenerateSerializer, Immutable, Alias("taba.PartFault")]
public sealed record PartFault(PartFaultKind Kind, string Reason)
{
    /// <summary>For <see cref="PartFaultKind.Input"/>: the stage whose rows cannot be read.</summary>
    [Id(10)] public string? InputStage { get; init; }

    /// <summary>Those rows.</summary>
    [Id(11)] public RowRange InputRows { get; init; }
}

/// <summary>The owners of a fault that ends an attempt at a part.</summary>
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

    /// <summary>Rows of another stage cannot be read; they are computed again.</summary>
    Input,

    /// <summary>One of the silo's devices; the others go on, and the part is tried there.</summary>
    Device,
}
