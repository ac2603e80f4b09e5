using System.Collections.Immutable;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;
using Taba.Grains.Stages;
using Taba.Grains.Sweeps;
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

    /// <summary>All samples overflow in half precision: an accident like any other.</summary>
    [Fact]
    public async Task EverySampleFails_WithAReasonOfItsOwn_CostsKilobytes()
    {
        const int Samples = 51_200;
        var spec = TestSilo.NewStage() with { Input = TestStages.Noise(seed: 51_200, totalRows: Samples) };
        var plan = TestStages.Plan("overflow", TestStages.Planned(spec, new(0, Samples)));
        await silo.Sweep("overflow").SubmitAsync(plan);
        var key = plan.Stages[0].Key;
        var stage = silo.Stage(key);
        while (await stage.LeaseAsync("worker", new LeaseRequest(3200, null)) is { IsEmpty: false } leases)
        {
            foreach (var lease in leases)
            {
                await stage.CompleteAsync(
                    lease.Attempt, RowSet.Empty, lease.Keep,
                    [
                        .. Enumerable.Range(lease.Rows.Start, lease.Rows.Count).Select(sample => new SampleFailure(
                            key, sample, sample % 10, $"NaN or Inf at step {sample % 10} of sample {sample} in float16")
                        {
                            Kind = FailureKind.OutOfMemory,
                        }),
                    ]);
            }
        }

        var status = await silo.Sweep("overflow").GetStatusAsync();

        Assert.Equal((SweepState.CompletedWithFailures, (long)Samples), (status.State, status.SamplesFailed));
        Assert.Equal([new FailedRows(FailureKind.OutOfMemory, TestStages.Rows(0, Samples))], status.Stages[0].Failed.AsEnumerable());
        Assert.Equal(Failures.MostReasons, status.Failures.Length);
        using var services = new ServiceCollection().AddSerializer(b => b.AddAssembly(typeof(IStageGrain).Assembly))
            .BuildServiceProvider();
        Assert.InRange(services.GetRequiredService<Serializer>().SerializeToArray(status).Length, 0, 8 << 10);
        Assert.InRange(silo.GrainState.BytesOf(key), 1, 8 << 10);
        Assert.InRange(silo.GrainState.BytesOf("overflow"), 1, 16 << 10);
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

        // While there are at most 64 leases each hand-out of two is written. Then, the clock standing still, only the epochs are: a
        // thousand
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
