using CsCheck;
using Taba.Grains.Stages;
using Taba.Grains.Sweeps;
using Taba.Grains.Tests.Fakes;

namespace Taba.Grains.Tests.Grains;

/// <summary>
/// Workers that die, come late, publish without telling, and a coordinator that forgets: whatever happens, two workers never hold
/// the same row at once, and in the end every row is published once.
/// </summary>
[Collection(SiloCollection.Name)]
public sealed class LeaseChaosTests(TestSilo silo)
{
    enum Happening
    {
        Lease,
        LeaseMore,
        Renew,
        Finish,
        PublishAndDie,
        GiveBack,
        Die,
        Wait,
        Deactivate,
        LoseState,
        DiskFull,
    }

    static readonly Gen<(Happening What, int Who, int Which)[]> s_stories = Gen.Select(
        Gen.Int[0, (int)Happening.DiskFull].Select(i => (Happening)i), Gen.Int[0, 2], Gen.Int[0, 9]).Array[20, 60];

    [Fact]
    public Task AnyStory_EndsWithEveryRowPublishedOnce() => s_stories.SampleAsync(TellAsync, iter: 25, threads: 1);

    async Task TellAsync((Happening What, int Who, int Which)[] story)
    {
        const int Rows = 150;
        var spec = TestSilo.NewStage();
        var key = StageKey.Of(spec);
        var stage = silo.Stage(key);
        var plan = TestStages.Plan($"chaos-{key}", TestStages.Planned(spec, new(0, Rows)));
        await silo.Sweep(plan.SweepId).SubmitAsync(plan);
        var workers = Enumerable.Range(0, 3).Select(_ => NewWorker()).ToArray();
        foreach (var (what, who, which) in story)
        {
            var worker = workers[who];
            var lease = worker.Held.Count == 0 ? null : worker.Held[which % worker.Held.Count];
            switch (what)
            {
                case Happening.Lease or Happening.LeaseMore:
                    if (await stage.LeaseAsync(worker.Name, which * 16) is { } leased)
                        worker.Held.Add(leased);
                    break;
                case Happening.Finish when lease is not null:
                    Publish(lease);
                    await stage.CompleteAsync(lease.Attempt, RowSet.Of(lease.Rows), lease.Keep, []);
                    worker.Held.Remove(lease);
                    break;
                case Happening.PublishAndDie when lease is not null:
                    Publish(lease);
                    workers[who] = Kill(worker);
                    break;
                case Happening.GiveBack when lease is not null:
                    await stage.GiveBackAsync(lease.Attempt, null);
                    worker.Held.Remove(lease);
                    break;
                case Happening.Die:
                    workers[who] = Kill(worker);
                    break;
                case Happening.Wait:
                    silo.Time.Advance(TimeSpan.FromSeconds(3 * which));
                    break;
                case Happening.Deactivate:
                    await silo.Cluster.DeactivateAsync(stage);
                    break;
                case Happening.LoseState:
                    // A database of yesterday: what was leased since is unknown, what is published is in the store.
                    silo.GrainState.Lose(stage.GetPrimaryKeyString());
                    await silo.Cluster.DeactivateAsync(stage);
                    await silo.Sweep(plan.SweepId).SubmitAsync(plan);
                    break;
                case Happening.DiskFull:
                    silo.GrainState.FailWritesOf = stage.GetPrimaryKeyString();
                    await Record.ExceptionAsync(() => stage.LeaseAsync(worker.Name, null));
                    silo.GrainState.FailWritesOf = null;
                    break;
            }
            await RenewAllAsync(stage, workers);
        }

        // The clock is what remains of those who vanished.
        foreach (var worker in workers)
            Kill(worker);
        var status = await new TestWorker(silo, "the last worker").RunAsync(plan.SweepId);
        Assert.Equal(SweepState.Completed, status.State);
        Assert.Equal(TestStages.Rows(0, Rows), silo.Published(key));
        Assert.Equal(Rows, silo.Store.Manifests(key).Sum(m => m.Rows.Count));
    }

    /// <summary>Everyone renews; who is refused stops. Those who are not hold different rows.</summary>
    static async Task RenewAllAsync(IStageGrain stage, Worker[] workers)
    {
        var held = RowSet.Empty;
        foreach (var worker in workers)
        {
            var answers = await stage.RenewAsync(worker.Name, [.. worker.Held.Select(l => new PartProgress(l.Attempt, 1))]);
            var kept = worker.Held.Where((_, i) => answers[i]).ToList();
            worker.Held.Clear();
            worker.Held.AddRange(kept);
            foreach (var lease in worker.Held)
            {
                Assert.True(held.Intersect(lease.Rows).IsEmpty, $"{lease.Rows} is held twice");
                held = held.Add(lease.Rows);
            }
        }
    }

    void Publish(PartLease lease) => silo.Store.Publish(lease.Attempt, lease.Rows, lease.Keep, lease.Supplement);

    Worker Kill(Worker worker)
    {
        silo.Membership.Dead[worker.Name] = true;
        return NewWorker();
    }

    static Worker NewWorker() => new($"worker {Guid.NewGuid()}", []);

    sealed record Worker(string Name, List<PartLease> Held);
}
