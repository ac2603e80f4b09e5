using System.Collections.Immutable;
using Orleans;

namespace Taba;

/// <summary>The tensors that a stage keeps besides its result: for each kind the steps, sorted. An output, not part of the key.</summary>
[GenerateSerializer, Immutable, Alias("taba.CaptureSelection")]
public sealed record CaptureSelection(
    [property: Id(0)] ImmutableArray<int> State,
    [property: Id(1)] ImmutableArray<int> Eps,
    [property: Id(2)] ImmutableArray<int> PredXstart)
{
    public static readonly CaptureSelection None = new([], [], []);

    public bool IsEmpty => State.IsEmpty && Eps.IsEmpty && PredXstart.IsEmpty;

    /// <summary>Tensors kept of each row.</summary>
    public int TensorsPerRow => State.Length + Eps.Length + PredXstart.Length;

    public ImmutableArray<int> Steps(TensorKinds kind) => kind switch
    {
        TensorKinds.State => State,
        TensorKinds.Eps => Eps,
        TensorKinds.PredXstart => PredXstart,
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "one kind of tensor at a time"),
    };

    public IEnumerable<TensorKinds> Kinds
    {
        get
        {
            if (!State.IsEmpty)
                yield return TensorKinds.State;
            if (!Eps.IsEmpty)
                yield return TensorKinds.Eps;
            if (!PredXstart.IsEmpty)
                yield return TensorKinds.PredXstart;
        }
    }

    /// <summary>The kinds that are kept at one step.</summary>
    public TensorKinds At(int step) =>
        (State.AsSpan().BinarySearch(step) >= 0 ? TensorKinds.State : 0)
        | (Eps.AsSpan().BinarySearch(step) >= 0 ? TensorKinds.Eps : 0)
        | (PredXstart.AsSpan().BinarySearch(step) >= 0 ? TensorKinds.PredXstart : 0);

    public CaptureSelection Union(CaptureSelection other) =>
        new(Merge(State, other.State), Merge(Eps, other.Eps), Merge(PredXstart, other.PredXstart));

    public bool Covers(CaptureSelection other) => Union(other) == this;

    public bool Equals(CaptureSelection? other) =>
        other is not null && State.SequenceEqual(other.State) && Eps.SequenceEqual(other.Eps) && PredXstart.SequenceEqual(other.PredXstart);

    public override int GetHashCode() => HashCode.Combine(State.Length, Eps.Length, PredXstart.Length);

    /// <summary>Kinds of tensors at every so many of the steps that are executed, the last always included.</summary>
    public static CaptureSelection Of(TensorKinds kinds, int every, int firstStep, int numInferenceSteps)
    {
        var steps = Enumerable.Range(firstStep, numInferenceSteps - firstStep)
            .Where(k => (k + 1) % every == 0 || k == numInferenceSteps - 1)
            .ToImmutableArray();
        return new(
            kinds.HasFlag(TensorKinds.State) ? steps : [],
            kinds.HasFlag(TensorKinds.Eps) ? steps : [],
            kinds.HasFlag(TensorKinds.PredXstart) ? steps : []);
    }

    /// <summary>
    /// The steps of the sampling stage that a swap needs. Inversion step idx takes eps of the sampling step T-1-idx, or the state after
    /// sampling step T-2-idx (docs/upstream.md, section 7.1). The state before the first step is the noise, which is not kept here.
    /// </summary>
    public static CaptureSelection ForSwap(SwapKind kind, int before, int numInferenceSteps)
    {
        var offset = kind == SwapKind.Eps ? 1 : 2;
        var steps = Enumerable.Range(0, before).Select(idx => numInferenceSteps - offset - idx).Where(
            k => k >= 0).Order().ToImmutableArray();
        return kind == SwapKind.Eps ? new([], steps, []) : new(steps, [], []);
    }

    static ImmutableArray<int> Merge(ImmutableArray<int> a, ImmutableArray<int> b) => [.. a.Union(b).Order()];
}
