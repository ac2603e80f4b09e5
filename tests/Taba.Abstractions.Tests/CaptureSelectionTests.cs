using CsCheck;

namespace Taba.Abstractions.Tests;

public sealed class CaptureSelectionTests
{
    static readonly Gen<CaptureSelection> s_selection = Gen.Select(
        Steps(), Steps(), Steps(), (s, e, p) => new CaptureSelection([.. s], [.. e], [.. p]));

    [Fact]
    public void Of_All_KeepsEveryStepOfEveryKind()
    {
        var all = CaptureSelection.Of(TensorKinds.State | TensorKinds.Eps | TensorKinds.PredXstart, 1, 0, 10);
        Assert.Equal(Enumerable.Range(0, 10), all.State.AsEnumerable());
        Assert.Equal(all.State.AsEnumerable(), all.Eps.AsEnumerable());
        Assert.Equal(all.State.AsEnumerable(), all.PredXstart.AsEnumerable());
        Assert.Equal(30, all.TensorsPerRow);
    }

    [Fact]
    public void Of_None_IsEmpty() => Assert.True(CaptureSelection.Of(TensorKinds.None, 1, 0, 10).IsEmpty);

    [Theory]
    [InlineData(10, 0, 50, new[] { 9, 19, 29, 39, 49 })]
    [InlineData(4, 0, 10, new[] { 3, 7, 9 })]
    [InlineData(100, 0, 10, new[] { 9 })]
    [InlineData(4, 5, 10, new[] { 7, 9 })]
    public void Of_EveryNth_CountsFromTheFirstStepAndKeepsTheLast(int every, int firstStep, int numInferenceSteps, int[] expected)
    {
        var kept = CaptureSelection.Of(TensorKinds.Eps, every, firstStep, numInferenceSteps);
        Assert.Equal(expected, kept.Eps.AsEnumerable());
        Assert.Empty(kept.State);
        Assert.Empty(kept.PredXstart);
    }

    [Theory]
    [InlineData(SwapKind.Eps, 1, new[] { 9 })]
    [InlineData(SwapKind.Eps, 3, new[] { 7, 8, 9 })]
    [InlineData(SwapKind.Eps, 10, new[] { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 })]
    public void ForSwap_Eps_IsTheLastStepsOfSampling(SwapKind kind, int before, int[] steps)
    {
        var kept = CaptureSelection.ForSwap(kind, before, 10);
        Assert.Equal(steps, kept.Eps.AsEnumerable());
        Assert.Empty(kept.State);
    }

    [Theory]
    [InlineData(1, new[] { 8 })]
    [InlineData(3, new[] { 6, 7, 8 })]
    [InlineData(9, new[] { 0, 1, 2, 3, 4, 5, 6, 7, 8 })]
    // K = T: the state before the first step is the noise itself, which the stage does not keep.
    [InlineData(10, new[] { 0, 1, 2, 3, 4, 5, 6, 7, 8 })]
    public void ForSwap_Xt_IsTheStatesBeforeThoseSteps(int before, int[] steps)
    {
        var kept = CaptureSelection.ForSwap(SwapKind.Xt, before, 10);
        Assert.Equal(steps, kept.State.AsEnumerable());
        Assert.Empty(kept.Eps);
    }

    [Fact]
    public void Union_AnySelections_CoversBothAndNothingLess() =>
        Gen.Select(s_selection, s_selection).Sample((a, b) =>
        {
            var both = a.Union(b);
            Assert.True(both.Covers(a));
            Assert.True(both.Covers(b));
            Assert.Equal(both, b.Union(a));
            foreach (var kind in new[] { TensorKinds.State, TensorKinds.Eps, TensorKinds.PredXstart })
                Assert.Equal(a.Steps(kind).Union(b.Steps(kind)).Order(), both.Steps(kind).AsEnumerable());
        });

    [Fact]
    public void Covers_AnySelections_IsInclusionOfSteps() =>
        Gen.Select(s_selection, s_selection).Sample((a, b) => a.Covers(b)
            == (!b.State.Except(a.State).Any() && !b.Eps.Except(a.Eps).Any() && !b.PredXstart.Except(a.PredXstart).Any()));

    [Fact]
    public void At_AnyStep_NamesTheKindsThatKeepIt() =>
        Gen.Select(s_selection, Gen.Int[0, 12]).Sample((kept, step) =>
        {
            var at = kept.At(step);
            Assert.Equal(kept.State.Contains(step), at.HasFlag(TensorKinds.State));
            Assert.Equal(kept.Eps.Contains(step), at.HasFlag(TensorKinds.Eps));
            Assert.Equal(kept.PredXstart.Contains(step), at.HasFlag(TensorKinds.PredXstart));
        });

    [Fact]
    public void Equals_SameSteps_IsTrueAndHashesAgree() =>
        s_selection.Sample(a =>
        {
            CaptureSelection copy = new([.. a.State], [.. a.Eps], [.. a.PredXstart]);
            Assert.Equal(a, copy);
            Assert.Equal(a.GetHashCode(), copy.GetHashCode());
        });

    [Fact]
    public void Steps_OfTwoKindsAtOnce_Throws() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => CaptureSelection.None.Steps(TensorKinds.State | TensorKinds.Eps));

    static Gen<int[]> Steps() => Gen.Int[0, 12].Array[0, 8].Select(a => a.Distinct().Order().ToArray());
}
