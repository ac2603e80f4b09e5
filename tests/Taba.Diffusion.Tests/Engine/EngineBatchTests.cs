using System.Collections.Concurrent;
using System.ComponentModel.DataAnnotations;
using Taba.Diffusion.Engine;

namespace Taba.Diffusion.Tests.Engine;

/// <summary>How many rows the passes of an engine have.</summary>
public sealed class EngineBatchTests
{
    const int Limit = 8;

    [Fact]
    public async Task ChooseBatch_WhenTheModelIsMade_SettlesRowsAndSlots()
    {
        using var model = new ToyDenoiser(Rows.Shape);
        var thread = 0;
        await using var engine = new DenoisingEngine(model, new EngineOptions
        {
            BatchSize = 3,
            ChooseBatch = asked =>
            {
                Assert.Same(model, asked);
                thread = Environment.CurrentManagedThreadId;
                return Limit;
            },
        });
        await engine.Ready;

        Assert.Equal((Limit, 2 * Limit), (engine.BatchSize, engine.Slots));
        Assert.Equal((Limit, 2 * Limit), (engine.Statistics.BatchLimit, engine.Statistics.Slots));
        Assert.NotEqual(Environment.CurrentManagedThreadId, thread);
    }

    [Fact]
    public async Task ChooseBatch_PinnedShape_IsNotAsked()
    {
        using var model = new ToyDenoiser(Rows.Shape);
        await using var engine = new DenoisingEngine(model, new EngineOptions
        {
            Deterministic = true,
            ChooseBatch = _ => throw new InvalidOperationException("it was asked"),
        });
        await engine.Ready;

        Assert.Equal((16, 32), (engine.Statistics.BatchLimit, engine.Slots));
    }

    [Fact]
    public async Task ChooseBatch_Impossible_EndsTheEngine()
    {
        using var model = new ToyDenoiser(Rows.Shape);
        await using var engine = new DenoisingEngine(model, new EngineOptions { ChooseBatch = _ => 0 });

        var error = await Assert.ThrowsAsync<EngineStoppedException>(() => engine.Ready);
        Assert.IsType<ValidationException>(error.InnerException);
    }

    /// <summary>Two parts of different lengths, neither of which fills whole passes: only what is left at the end is less.</summary>
    [Theory]
    [InlineData(20, 20)]
    [InlineData(13, 30)]
    [InlineData(3, 21)]
    public async Task Run_RowsOfTwoParts_PassesAreFullWhileThereAreRowsForOne(int first, int second)
    {
        using var begin = new ManualResetEventSlim();
        using var model = new ToyDenoiser(Rows.Shape);
        await using var engine = new DenoisingEngine(
            () =>
            {
                begin.Wait();
                return model;
            },
            new EngineOptions { BatchSize = Limit, Buckets = [1, 2, 3, 4, 5, 6, 7] });
        RecordingObserver[] observers = [.. Enumerable.Range(0, first + second).Select(_ => new RecordingObserver())];
        int[] steps = [.. Enumerable.Repeat(5, first), .. Enumerable.Repeat(3, second)];
        for (var i = 0; i < observers.Length; i++)
            engine.Start(Rows.Request(i, new ToySchedule(steps[i]), observers[i]));
        begin.Set();
        foreach (var observer in observers)
            await observer.Completed;

        AssertFull([.. model.Shapes], steps);
        Assert.Equal(steps.Sum(), engine.Statistics.Evaluations);
    }

    /// <summary>Whoever has a segment asks for the next from the output thread, a moment after the pass has ended.</summary>
    [Fact]
    public async Task Run_SegmentsOfOneStep_PassesAreFullWhileOthersAreAskedFor()
    {
        const int Parts = 2, RowsOfAPart = 16, Steps = 6;
        using var begin = new ManualResetEventSlim();
        using var model = new ToyDenoiser(Rows.Shape);
        DenoisingEngine engine = null!;
        await using var owned = engine = new DenoisingEngine(
            () =>
            {
                begin.Wait();
                return model;
            },
            // Only a test that fails waits so long.
            new EngineOptions { BatchSize = Limit, Linger = TimeSpan.FromSeconds(30), LingerShare = 1e9 });
        var handles = new ConcurrentDictionary<int, SlotHandle>();
        var observers = new RecordingObserver[Parts * RowsOfAPart];
        for (var i = 0; i < observers.Length; i++)
        {
            var (row, left) = (i, Steps - 1);
            observers[i] = new()
            {
                On = _ =>
                {
                    if (left-- > 0)
                        engine.RunSegment(handles[row], 1);
                },
            };
            handles[i] = engine.Open(Rows.Request(i, new ToySchedule(Steps), observers[i]));
            engine.RunSegment(handles[i], 1);
        }
        begin.Set();
        foreach (var observer in observers)
            await observer.Completed;

        Assert.All(model.Shapes, rows => Assert.Equal(Limit, rows));
        Assert.Equal(observers.Length * Steps / Limit, model.Calls);
    }

    /// <summary>Passes in order: one that is not full leaves nobody behind who could have gone with it.</summary>
    static void AssertFull(IReadOnlyList<int> shapes, IReadOnlyList<int> steps)
    {
        // However passes are chosen, so many are needed at least; padding would show as more.
        var evaluations = steps.Sum();
        var full = shapes.TakeWhile(rows => rows == Limit).Count();
        var rest = evaluations - (full * Limit);
        Assert.True(rest >= 0, "more rows than there are");
        // What is left when the first pass is not full are fewer rows than a pass has, each with its own steps still to go.
        Assert.InRange(rest, 0, (Limit - 1) * steps.Max());
        Assert.All(shapes.Skip(full), rows => Assert.True(rows < Limit));
        Assert.True(shapes.Count - full <= steps.Max(), $"{shapes.Count - full} passes that are not full");
    }
}
