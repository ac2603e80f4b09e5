using Taba.Silo.Rows;
using Microsoft.Extensions.Options;
using Taba.Diffusion.Engine;
using Taba.Silo.Engines;
using Taba.Storage.Objects;
using Taba.Testing.Stores;

namespace Taba.Silo.Tests.Engines;

public sealed class ActivePartTests : IDisposable
{
    readonly TestFolder _folder = new();
    readonly ActivePart _part = ActivePart.WithoutSteps(
        new(
            new("stage", 0, 1, Guid.NewGuid()),
            new StageSpec
            {
                Kind = StageKind.Sample,
                Model = new("digest", "gaussian", "model.json", null, 3, 8, 8),
                NumInferenceSteps = 10,
                Precision = new(Dtype.Float32, Dtype.Float32, Dtype.Float32),
                Input = new NoiseRows(NoiseLayout.Upstream, 1, Dtype.Float32, 4),
            },
            new(0, 4), CaptureSelection.None, Supplement: false),
        new RowBuffers());

    public void Dispose()
    {
        _part.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Progress_SegmentUnderWay_CountsFromTheBeginOfEachPass()
    {
        var counter = new EvaluationCounter(_folder.Path);
        using var journal = new EvaluationJournal(counter, Options.Create(new EngineSettings()));
        EvaluationRecord[] pass = [new(new EvaluationTag("stage", 0, _part), 0), new(new EvaluationTag("stage", 1, _part), 0)];
        Assert.Equal(0, _part.Progress);
        for (var step = 0; step < 7; step++)
            journal.Evaluating(pass);
        Assert.Equal(14, _part.Progress);
        // The end of the segment tells the same evaluations, and they are not counted again.
        _part.AddEvaluations(0, 7);
        _part.AddEvaluations(1, 7);
        Assert.Equal(14, _part.Progress);
        Assert.Equal(7, _part.EvaluationsOf(1));
    }

    [Fact]
    public void Progress_PassesThatWereRepeated_NeverExceedsWhatThePartTakes()
    {
        _part.CountBegun(1000);
        Assert.Equal(4 * 10, _part.Progress);
    }

    [Fact]
    public void TryGiveUp_FromEverySample_IsTrueOnce() =>
        Assert.Equal(1, Enumerable.Range(0, 16).AsParallel().Count(_ => _part.TryGiveUp()));
}
