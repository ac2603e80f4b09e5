using CsCheck;
using Taba.Grains.Parts;
using Taba.Grains.Sweeps;
using Taba.Grains.Tests.Fakes;

namespace Taba.Grains.Tests.Grains;

/// <summary>A sweep under any order of calls and failures.</summary>
public sealed class SweepStoryTests(TestSilo silo) : IClassFixture<TestSilo>
{
    enum Happening
    {
        Submit,
        Retry,
        Pause,
        Resume,
        Cancel,
        Look,
        Work,
        Second,
        Deactivate,
        IndexFails,
        StageFails,
        SweepFails,
        Heal,
    }

    static readonly Gen<(Happening What, bool Waits)[]> s_stories =
        Gen.Select(Gen.Int[0, (int)Happening.Heal].Select(i => (Happening)i), Gen.Bool).Array[10, 40];

    /// <summary>
    /// Calls that come while others are under way, writes that fail, activations that end: in the end the index and every stage know what
    /// the sweep says of itself.
    /// </summary>
    [Fact]
    public Task AnyStory_EveryoneKnowsInTheEnd() => s_stories.SampleAsync(TellAsync, iter: 40, threads: 1);

    async Task TellAsync((Happening What, bool Waits)[] story)
    {
        var plan = TestStages.Chain($"story-{Guid.NewGuid():N}", 64, TestSilo.NewStage());
        var sweep = silo.Sweep(plan.SweepId);
        await sweep.SubmitAsync(plan);
        var calls = new List<Task>();
        foreach (var (what, waits) in story)
        {
            var call = what switch
            {
                Happening.Submit => sweep.SubmitAsync(plan),
                Happening.Retry => sweep.RetryAsync(),
                Happening.Pause => sweep.PauseAsync(),
                Happening.Resume => sweep.ResumeAsync(),
                Happening.Cancel => sweep.CancelAsync(),
                Happening.Look => sweep.GetStatusAsync().AsTask(),
                Happening.Work => WorkAsync(),
                Happening.Deactivate => silo.Cluster.DeactivateAsync(sweep),
                _ => Task.CompletedTask,
            };
            if (what is Happening.Second)
                silo.Time.Advance(TimeSpan.FromSeconds(1));
            silo.GrainState.FailWritesOf = what switch
            {
                Happening.IndexFails => SweepWitness.IndexState,
                Happening.StageFails => silo.Stage(plan.Stages[1].Key).GetPrimaryKeyString(),
                Happening.SweepFails => plan.SweepId,
                Happening.Heal => null,
                _ => silo.GrainState.FailWritesOf,
            };
            calls.Add(call);
            if (waits)
                await Record.ExceptionAsync(() => call);
        }
        silo.GrainState.FailWritesOf = null;
        foreach (var call in calls)
            await Record.ExceptionAsync(() => call);

        await sweep.WakeAsync();
        await silo.PassAsync(TimeSpan.FromMinutes(1), SettledAsync);
        var state = (await sweep.GetStatusAsync()).State;
        Assert.True(await SettledAsync(), $"{state}, {await silo.ListedAsync(plan.SweepId)}, {await silo.WantedAsync(plan)}");
        await sweep.CancelAsync();

        // A part of the first stage that has any.
        async Task WorkAsync()
        {
            var worker = new TestWorker(silo, "chaos");
            if (await worker.LeaseOneAsync(plan.SweepId) is { } lease)
                await silo.Grains.GetGrain<IPartGrain>(lease.Attempt.PartKey).StartAsync(lease);
        }

        async Task<bool> SettledAsync()
        {
            var now = (await sweep.GetStatusAsync()).State;
            var (listed, wanted) = (await silo.ListedAsync(plan.SweepId), await silo.WantedAsync(plan));
            return now.IsLive()
                ? listed?.Paused == (now == SweepState.Paused) && wanted == "64 64 64"
                : listed is null && wanted == "0 0 0";
        }
    }
}
