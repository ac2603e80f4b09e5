using System.Collections.Immutable;
using Taba.Grains.Stages;
using Taba.Grains.Tests.Fakes;

namespace Taba.Grains.Tests.Grains;

/// <summary>What a stage of a hundred thousand parts writes. Counted, not timed.</summary>
[Collection(SiloCollection.Name)]
public sealed class StageScaleTests(TestSilo silo)
{
    const int Parts = 100_000;
    const int Rows = Parts * PartGrid.MaxRows;
    const int Workers = 64;
    const int Rounds = 8;

    [Fact]
    public async Task Lease_ForSeveralParts_WritesOnceAndHandsThemOutInOrder()
    {
        var plan = TestStages.Plan("several", TestStages.Planned(TestSilo.NewStage(), new(0, 320)));
        await silo.Sweep("several").SubmitAsync(plan);
        var stage = silo.Stage(plan.Stages[0].Key);
        var before = silo.GrainState.WritesOf(plan.Stages[0].Key);

        var leases = await stage.LeaseAsync("worker", new LeaseRequest(80, null));

        Assert.Equal([new(0, 32), new(32, 64), new(64, 96)], leases.Select(l => l.Rows));
        Assert.Equal(leases.Length, leases.Select(l => l.Attempt.Epoch).Distinct().Count());
        Assert.Equal(before + 1, silo.GrainState.WritesOf(plan.Stages[0].Key));
        await silo.Sweep("several").CancelAsync();
    }

    [Fact]
    public async Task ManyPartsAndWorkers_WriteNowAndThenAndLittle()
    {
        var spec = TestSilo.NewStage() with { Input = TestStages.Noise(seed: 100_001, totalRows: Rows) };
        var plan = TestStages.Plan("large", TestStages.Planned(spec, new(0, Rows)));
        await silo.Sweep("large").SubmitAsync(plan);
        var key = plan.Stages[0].Key;
        var stage = silo.Stage(key);
        // Most of it is done, and every fourth part is missing: far more gaps than a real run leaves.
        var published = RowSet.Of(
            [.. Enumerable.Range(0, Parts / 2).Where(p => p % 4 != 0).Select(p => new RowRange(p * 32, (p + 1) * 32))]);
        var first = (await stage.LeaseAsync("worker", null))!;
        await stage.CompleteAsync(first.Attempt, published.Union(RowSet.Of(first.Rows)), first.Keep, []);
        silo.Time.Advance(TimeSpan.FromSeconds(1));
        await stage.LookAgainAsync(first.Rows);
        await stage.CompleteAsync(first.Attempt, RowSet.Of(first.Rows), first.Keep, []);
        var before = silo.GrainState.WritesOf(key);
        var gaps = silo.GrainState.BytesOf(key);

        var held = new Dictionary<int, ImmutableArray<PartLease>>();
        for (var round = 0; round < Rounds; round++)
        {
            for (var worker = 0; worker < Workers; worker++)
            {
                var mine = held.GetValueOrDefault(worker, []);
                Assert.All(await stage.RenewAsync($"worker-{worker}", [.. mine.Select(l => new PartProgress(l.Attempt, 1))]), Assert.True);
                foreach (var lease in mine)
                    await stage.CompleteAsync(lease.Attempt, RowSet.Of(lease.Rows), lease.Keep, []);
                held[worker] = await stage.LeaseAsync($"worker-{worker}", new LeaseRequest(64, null));
                Assert.Equal(2, held[worker].Length);
            }
        }

        // While there are at most 64 leases each hand-out of two is written. Then, the clock standing still, only the epochs are: a thousand
        // at a time.
        Assert.InRange(silo.GrainState.WritesOf(key) - before, 1, 32 + 1 + Workers * Rounds * 2 / 1000);
        silo.Time.Advance(TimeSpan.FromSeconds(1));
        await stage.CompleteAsync(held[0][0].Attempt, RowSet.Of(held[0][0].Rows), held[0][0].Keep, []);
        // The gaps take what they take; the leases of all workers add a few kilobytes.
        Assert.InRange(silo.GrainState.BytesOf(key), gaps / 2, gaps + Workers * 2 * 256);
        Assert.True(gaps < Parts / 8 * 16, $"{gaps} bytes for {Parts / 8} gaps");
        Assert.Equal(Workers * Rounds * 2, held.Values.Sum(l => l.Length) + Workers * (Rounds - 1) * 2);
        await silo.Sweep("large").CancelAsync();
    }
}
