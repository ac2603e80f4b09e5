using Taba.Grains.Planning;
using Taba.Grains.Stages;
using Taba.Grains.Sweeps;
using Taba.Grains.Tests.Fakes;

namespace Taba.Grains.Tests.Grains;

/// <summary>NaN in half precision is tried once more in float32: that row and what depends on it, and nothing else.</summary>
[Collection(SiloCollection.Name)]
public sealed class PrecisionRetryTests : IDisposable
{
    readonly TestSilo _silo;

    public PrecisionRetryTests(TestSilo silo)
    {
        _silo = silo;
        silo.Device.FailureKind = FailureKind.NonFinite;
    }

    public void Dispose()
    {
        _silo.Device.Failure = null;
        _silo.Device.FailureKind = FailureKind.Other;
    }

    static StageSpec Half() => TestSilo.NewStage() with { Precision = new(Dtype.Float16, Dtype.Float16, Dtype.Float16) };

    static bool IsHalf(StageSpec spec) => spec.Precision.Network == Dtype.Float16;

    async Task<SweepStatus> RunAsync(SweepPlan plan, TestWorker worker)
    {
        var status = await _silo.Sweep(plan.SweepId).SubmitAsync(plan);
        // The sweep finds new work each time it looks at its stages.
        for (var look = 0; look < 10 && status.State == SweepState.Running; look++)
            status = await worker.RunAsync(plan.SweepId);
        return status;
    }

    [Theory]
    [InlineData(5, 1)]
    [InlineData(40, 10)]
    public async Task Run_RowThatStandsElsewhere_IsWaitedForByNoBlockThatIsMeasured(int failing, int block)
    {
        var chain = TestStages.Chain($"raised-measured-{failing}", 64, Half());
        var latents = chain.Stages[1];
        var measure = latents.Spec with
        {
            Kind = StageKind.Measure,
            NumInferenceSteps = 0,
            Input = new StageRows(latents.Key),
            Output = new(1, 1, 1),
            Measure = new(
                ["paper"], [new("latents", "latents", new StageRows(latents.Key), latents.Spec.Model.Shape, Dtype.Float16)], new(0, 64),
                OfAll: false),
        };
        var key = StageKey.Of(measure);
        var plan = chain with { Stages = [.. chain.Stages, new(key, measure, MeasureSetting.AllBlocks, CaptureSelection.None)] };
        _silo.Device.Failure = (spec, row) => spec.Kind == StageKind.Sample && IsHalf(spec) && row == failing ? "NaN in float16" : null;

        var status = await RunAsync(plan, new TestWorker(_silo));

        Assert.Equal(SweepState.Completed, status.State);
        Assert.Equal(TestStages.Rows(0, 16).Subtract(new RowRange(block, block + 1)), _silo.Published(key));
    }

    [Fact]
    public async Task Run_RowsNonFiniteInHalfPrecision_AreComputedInFloat32AndSoIsWhatBeginsWithThem()
    {
        var sample = Half();
        var plan = TestStages.Chain("raised", 64, sample);
        _silo.Device.Failure = (spec, row) => spec.Kind == StageKind.Sample && IsHalf(spec) && row is 5 or 40 ? "NaN in float16" : null;
        var worker = new TestWorker(_silo);

        var status = await RunAsync(plan, worker);

        Assert.Equal(SweepState.Completed, status.State);
        Assert.Empty(status.Failures);
        Assert.All(status.Stages, s => Assert.Equal((64, 0), (s.RowsDone, s.RowsFailed)));
        var rows = RowSet.Of(new RowRange(5, 6), new RowRange(40, 41));
        Assert.All(plan.Stages, s => Assert.Equal(TestStages.Rows(0, 64).Subtract(rows), _silo.Published(s.Key)));

        var raised = StageKey.Of(HigherPrecision.Of(sample)!);
        var latents = plan.Stages[1].Spec with { Input = new StageRows(raised) };
        var again = plan.Stages[2].Spec with { Input = new StageRows(StageKey.Of(latents)) };
        Assert.Equal(
            [
                new(plan.Stages[0].Key, rows, raised, new(Dtype.Float16, Dtype.Float16, Dtype.Float32, Dtype.Float32)),
                new(plan.Stages[1].Key, rows, StageKey.Of(latents), null),
                new(plan.Stages[2].Key, rows, StageKey.Of(again), null),
            ],
            status.Substitutions);
        Assert.All(status.Substitutions, s => Assert.Equal(rows, _silo.Published(s.SubstituteKey)));
        // Noise is drawn as before: the retry begins with the same numbers.
        Assert.Equal(Dtype.Float16, HigherPrecision.Of(sample)!.Precision.Noise);
        // Nothing is wanted of the stand-ins any more.
        foreach (var standIn in status.Substitutions)
            Assert.Null(await _silo.Stage(standIn.SubstituteKey).LeaseAsync("w", null));
        Assert.Equal(status.Substitutions, (await _silo.Sweep("raised").GetStatusAsync()).Substitutions);
    }

    [Fact]
    public async Task Run_RowNonFiniteInFloat32Too_FailsUnderThePlannedStageAndIsTriedOnce()
    {
        var plan = TestStages.Chain("twice", 96, Half());
        var late = true;
        _silo.Device.Failure = (spec, row) => spec.Kind == StageKind.Sample
            && (row == 5 || (row == 70 && IsHalf(spec) && late)) ? "NaN" : null;
        var worker = new TestWorker(_silo);

        var status = await RunAsync(plan, worker);

        Assert.Equal(SweepState.CompletedWithFailures, status.State);
        var failure = Assert.Single(status.Failures);
        Assert.Equal((plan.Stages[0].Key, 5, FailureKind.NonFinite), (failure.StageKey, failure.Sample, failure.Kind));
        Assert.Contains("float16", failure.Reason, StringComparison.Ordinal);
        Assert.All(status.Stages, s => Assert.Equal(95, s.RowsDone));
        var tries = worker.Leased.Where(l => !IsHalf(l.Spec) && l.Rows == new RowRange(5, 6));
        Assert.Single(tries);
    }

    [Fact]
    public async Task Run_InversionNonFinite_RaisesTheInversionOnlyAndReconstructsFromIt()
    {
        var sample = Half();
        var plan = TestStages.Chain("inversion", 32, sample);
        _silo.Device.Failure = (spec, row) => spec.Kind == StageKind.Invert && IsHalf(spec) && row == 3 ? "Inf" : null;
        var status = await RunAsync(plan, new TestWorker(_silo));

        Assert.Equal(SweepState.Completed, status.State);
        Assert.Equal(TestStages.Rows(0, 32), _silo.Published(plan.Stages[0].Key));
        var raised = HigherPrecision.Of(plan.Stages[1].Spec)!;
        Assert.Equal(plan.Stages[1].Spec.Input, raised.Input);
        Assert.Equal(
            [StageKey.Of(raised), StageKey.Of(plan.Stages[2].Spec with { Input = new StageRows(StageKey.Of(raised)) })],
            status.Substitutions.Select(s => s.SubstituteKey));
    }

    [Fact]
    public async Task Run_SwappedInversionOfARaisedSample_TakesPredictionsAndImagesFromTheStandIn()
    {
        var sample = Half();
        var key = StageKey.Of(sample);
        var swapped = TestStages.InvertOf(sample) with { Swap = new(SwapKind.Eps, 2, new StageRows(key), null) };
        var keep = CaptureSelection.ForSwap(SwapKind.Eps, 2, sample.NumInferenceSteps);
        var plan = TestStages.Plan("swapped", TestStages.Planned(sample, new(0, 32), keep), TestStages.Planned(swapped, new(0, 32)));
        _silo.Device.Failure = (spec, row) => spec.Kind == StageKind.Sample && IsHalf(spec) && row == 9 ? "NaN" : null;
        var worker = new TestWorker(_silo);

        Assert.Equal(SweepState.Completed, (await RunAsync(plan, worker)).State);

        var stand = new StageRows(StageKey.Of(HigherPrecision.Of(sample)!));
        var lease = Assert.Single(worker.Leased, l => l.Spec.Kind == StageKind.Invert && l.Rows == new RowRange(9, 10));
        Assert.Equal((stand, (RowsRef)stand), ((StageRows)lease.Spec.Input, lease.Spec.Swap!.Source));
        Assert.Equal(keep, Assert.Single(worker.Leased, l => l.Attempt.StageKey == stand.Key).Keep);
    }

    [Theory]
    [InlineData(FailureKind.Poison, Dtype.Float16)]
    [InlineData(FailureKind.Other, Dtype.Float16)]
    [InlineData(FailureKind.NonFinite, Dtype.Float32)]
    public async Task Run_FailureThatPrecisionDoesNotMend_IsNotTriedAgain(FailureKind kind, Dtype precision)
    {
        var sample = TestSilo.NewStage() with { Precision = new(precision, precision, precision) };
        var plan = TestStages.Plan($"not-mended-{kind}-{precision}", TestStages.Planned(sample, new(0, 32)));
        _silo.Device.FailureKind = kind;
        _silo.Device.Failure = (spec, row) => spec == sample && row == 1 ? "no" : null;
        var worker = new TestWorker(_silo);

        var status = await RunAsync(plan, worker);

        Assert.Equal(SweepState.CompletedWithFailures, status.State);
        Assert.Equal(kind, Assert.Single(status.Failures).Kind);
        Assert.Empty(status.Substitutions);
        Assert.Single(worker.Leased);
    }

    [Fact]
    public async Task Run_SiloKilledBeforeTheRetry_FindsItAgainFromTheFailuresAlone()
    {
        await using var silo = new TestSilo();
        await silo.InitializeAsync();
        var sample = Half();
        var plan = TestStages.Plan("killed", TestStages.Planned(sample, new(0, 32)));
        silo.Device.FailureKind = FailureKind.NonFinite;
        silo.Device.Failure = (spec, row) => IsHalf(spec) && row == 7 ? "NaN" : null;
        await silo.Sweep("killed").SubmitAsync(plan);
        // The stage that would stand in cannot take the demand.
        silo.GrainState.FailWritesOf = StageKey.Of(HigherPrecision.Of(sample)!);
        await Record.ExceptionAsync(() => new TestWorker(silo).RunAsync("killed"));
        Assert.Equal([StageKey.Of(sample)], silo.StagesOf("killed"));

        await silo.RestartAsync();
        silo.GrainState.FailWritesOf = null;

        var status = await silo.Sweep("killed").GetStatusAsync();
        Assert.Equal(SweepState.Running, status.State);
        var worker = new TestWorker(silo);
        for (var look = 0; look < 10 && status.State == SweepState.Running; look++)
            status = await worker.RunAsync("killed");
        Assert.Equal(SweepState.Completed, status.State);
        Assert.Equal(TestStages.Rows(7, 8), Assert.Single(status.Substitutions).Rows);
    }
}
