using System.Collections.Immutable;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.Time.Testing;
using Taba.Grains.Stages;
using Taba.Grains.Sweeps;
using Taba.Grains.Telemetry;

namespace Taba.Grains.Tests.Telemetry;

public sealed class WaitingWorkTests : IDisposable
{
    readonly string _model = Guid.NewGuid().ToString();
    readonly FakeTimeProvider _time = new();
    readonly WaitingWork _work;
    readonly SweepPlan _plan;

    public WaitingWorkTests()
    {
        _work = new(_time);
        var sample = Named(TestStages.Sample);
        _plan = new("sweep", "name", [Planned(sample), Planned(Named(TestStages.InvertOf(sample)))], []);
    }

    public void Dispose() => _work.Dispose();

    [Fact]
    public void Update_RowsWhoseInputsAreThere_WaitUnlessTheyAreDoneOutOrGivenUp()
    {
        _work.Update(_plan, [Status(0, done: 10, leased: 4, failed: 1), Status(1, done: 3, leased: 2)], runs: true);

        Assert.Equal([("invert", 5), ("sample", 17)], Read("taba.work.waiting"));
    }

    [Fact]
    public void Update_OfASweepThatIsPaused_LeavesNothingWaiting()
    {
        _work.Update(_plan, [Status(0), Status(1)], runs: true);
        _work.Update(_plan, [Status(0), Status(1)], runs: false);

        Assert.Empty(Read("taba.work.waiting"));
    }

    [Fact]
    public void Age_OfAStageThatStandsStill_GrowsUntilSomethingOfItMoves()
    {
        _work.Update(_plan, [Status(0), Status(1)], runs: true);
        _time.Advance(TimeSpan.FromSeconds(30));
        _work.Update(_plan, [Status(0), Status(1)], runs: true);
        Assert.Equal([("sample", 30)], Read("taba.work.waiting.age"));

        _work.Update(_plan, [Status(0, leased: 8), Status(1)], runs: true);
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal([("sample", 5)], Read("taba.work.waiting.age"));
    }

    StageSpec Named(StageSpec spec) => spec with { Model = spec.Model with { Name = _model } };

    static PlannedStage Planned(StageSpec spec) => new(StageKey.Of(spec), spec, new(0, 32), CaptureSelection.None);

    StageStatus Status(int stage, int done = 0, int leased = 0, int failed = 0) => new(
        _plan.Stages[stage].Key, _plan.Stages[stage].Spec.Kind, 32, RowSet.Of(new RowRange(0, done)), 0, failed, 0, 0, 0, [], null)
    {
        RowsLeased = leased,
    };

    /// <summary>What is measured of this test's model, by kind of stage.</summary>
    ImmutableArray<(string Kind, double Value)> Read(string instrument)
    {
        var read = ImmutableArray.CreateBuilder<(string, double)>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (published, listener) =>
            {
                if (published.Name == instrument)
                    listener.EnableMeasurementEvents(published);
            },
        };
        listener.SetMeasurementEventCallback<int>((_, value, tags, _) => Note(value, tags));
        listener.SetMeasurementEventCallback<double>((_, value, tags, _) => Note(value, tags));
        listener.Start();
        listener.RecordObservableInstruments();
        return [.. read.Order()];

        void Note(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            if (!tags.Contains(new("taba.model", _model)))
                return;
            foreach (var (tag, kind) in tags)
            {
                if (tag == "taba.stage.kind")
                    read.Add(((string)kind!, value));
            }
        }
    }
}
