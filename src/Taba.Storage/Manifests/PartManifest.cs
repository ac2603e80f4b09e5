using System.Collections.Immutable;

namespace Taba.Storage.Manifests;

/// <summary>The rows of a stage that one attempt published, and the objects that hold them. Written once, never changed.</summary>
public sealed record PartManifest
{
    public required string StageKey { get; init; }

    public required int RowStart { get; init; }

    public required int RowEnd { get; init; }

    /// <summary>True when the result was published before and this adds what was kept.</summary>
    public bool Supplement { get; init; }

    public required int Epoch { get; init; }

    public required Guid Attempt { get; init; }

    public required ImmutableArray<ObjectEntry> Objects { get; init; }

    /// <summary>Network evaluations that this attempt made, those behind its checkpoints included.</summary>
    public long Evaluations { get; init; }

    /// <summary>
    /// Seconds that devices gave to its rows, those behind its checkpoints included; null from a version that did not say.
    /// </summary>
    public double? Seconds { get; init; }

    /// <summary>The name of the device that ended it: cpu, cpu:1, cuda:0.</summary>
    public required string Device { get; init; }

    /// <summary>The silo that made it; null, as are the next three, from a version that did not say.</summary>
    public string? Silo { get; init; }

    /// <summary>The machine.</summary>
    public string? Host { get; init; }

    /// <summary>The build of Taba.</summary>
    public string? Build { get; init; }

    /// <summary>Its numerics version.</summary>
    public int? Numerics { get; init; }

    public required DateTimeOffset PublishedAt { get; init; }

    public RowRange Rows => new(RowStart, RowEnd);

    /// <summary>The tensors that were kept besides the result.</summary>
    public CaptureSelection Kept => new(
        Steps(TensorKinds.State), Steps(TensorKinds.Eps), Steps(TensorKinds.PredXstart));

    /// <summary>
    /// True when both speak of the same tensors of a row, so that only one of them can count: two results, or two supplements that keep the
    /// same.
    /// </summary>
    public bool Rivals(PartManifest other) =>
        Supplement == other.Supplement && !Rows.Intersect(other.Rows).IsEmpty && (!Supplement || Kept == other.Kept);

    public ObjectEntry? Object(TensorKinds kind) => Objects.FirstOrDefault(o => o.Kind == kind);

    ImmutableArray<int> Steps(TensorKinds kind) => Object(kind)?.Steps ?? [];
}

/// <summary>One tensor of a part, a safetensors file with one tensor.</summary>
/// <param name="Name">Upstream's name: the tensor's name in the file.</param>
/// <param name="Kind">None for the result.</param>
/// <param name="Steps">The steps a kept tensor holds, in the order of its first axis; empty for a result.</param>
/// <param name="Path">Path within the store.</param>
/// <param name="Shape">[rows,C,H,W], or [steps,rows,C,H,W] for a kept tensor.</param>
/// <param name="DataOffset">Where the tensor's bytes begin in the file.</param>
/// <param name="Sha256">Of the tensor's bytes.</param>
public sealed record ObjectEntry(
    string Name, TensorKinds Kind, ImmutableArray<int> Steps, string Path, ImmutableArray<long> Shape, string Dtype,
    long DataOffset, long Bytes, string Sha256);
