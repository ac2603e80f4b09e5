using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;
using Taba.Grains.Stages;
using Taba.Grains.Tests.Fakes;

namespace Taba.Grains.Tests.Grains;

/// <summary>Where the rows of a stage are, and what a sweep waits for, as the stage says.</summary>
[Collection(SiloCollection.Name)]
public sealed class StagePartsTests(TestSilo silo)
{
    [Fact]
    public async Task GetParts_StageUnderWay_SaysWhereEachRowIs()
    {
        var (stage, key) = await DemandedAsync("parts", 256);
        var done = (await stage.LeaseAsync("first", null))!;
        await stage.CompleteAsync(done.Attempt, TestStages.Rows(0, 31), done.Keep, [new SampleFailure(key, 31, 3, "NaN")]);
        var slow = (await stage.LeaseAsync("slow", new LeaseRequest(1, 200) { Host = "host of slow" })).Single();
        silo.Time.Advance(TimeSpan.FromSeconds(7));
        var quick = (await stage.LeaseAsync("quick", null))!;
        await stage.RenewAsync("slow", [new(slow.Attempt, 40)]);
        silo.Time.Advance(TimeSpan.FromSeconds(3));
        await stage.RenewAsync("slow", [new(slow.Attempt, 40)]);

        var parts = await stage.GetPartsAsync(new("parts", 8, 0, 10));

        Assert.Equal((key, new RowRange(0, 256), 2), (parts.Key, parts.Rows, parts.LeasesTotal));
        Assert.Equal(
            [
                new(32, 31, 0, 1), new(32, 0, 32, 0), new(32, 0, 0, 0), new(32, 0, 0, 0), new(32, 0, 0, 0), new(32, 0, 0, 0),
                new StripBin(32, 0, 32, 0), new(32, 0, 0, 0),
            ],
            parts.Strip.AsEnumerable());
        Assert.Equal(
            [
                new(quick.Rows, "quick", "quick", TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(3), 0, 320, Alone: false),
                new LeaseView(slow.Rows, "host of slow", "slow", TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(3), 40, 320, Alone: false),
            ],
            parts.Leases.AsEnumerable());
        Assert.Equal(slow.Rows, Assert.Single((await stage.GetPartsAsync(new("parts", 1, 1, 10))).Leases).Rows);
        Assert.Equal(default, (await stage.GetPartsAsync(new("another", 8, 0, 10))).Rows);
        await silo.Sweep("parts").CancelAsync();
    }

    [Fact]
    public async Task GetStatus_RowsThatCouldBeComputed_AreCounted()
    {
        var plan = TestStages.Chain("ready", 96, TestSilo.NewStage());
        await silo.Sweep("ready").SubmitAsync(plan);
        var (parent, child) = (silo.Stage(plan.Stages[0].Key), silo.Stage(plan.Stages[1].Key));
        Assert.Equal(96, (await parent.GetStatusAsync("ready")).RowsReady);
        Assert.Equal(0, (await child.GetStatusAsync("ready")).RowsReady);

        var lease = (await parent.LeaseAsync("worker", null))!;
        Assert.Equal(64, (await parent.GetStatusAsync("ready")).RowsReady);
        await parent.CompleteAsync(lease.Attempt, RowSet.Of(lease.Rows), lease.Keep, []);
        Assert.NotNull(await child.LeaseAsync("worker", null));
        Assert.Equal((0, 32), await ReadyAsync(child));

        async Task<(int, int)> ReadyAsync(IStageGrain stage)
        {
            var status = await stage.GetStatusAsync("ready");
            await silo.Sweep("ready").CancelAsync();
            return (status.RowsReady, status.RowsLeased);
        }
    }

    [Fact]
    public async Task GetStatus_RowsThatKillTheirHosts_AreSuspectAndThePartsLost()
    {
        var (stage, _) = await DemandedAsync("doomed", 32);
        for (var death = 1; death <= 3; death++)
        {
            Assert.Equal((death - 1, 0), await LostAsync());
            Assert.NotNull(await stage.LeaseAsync($"doomed-{death}", null));
            silo.Membership.Dead[$"doomed-{death}"] = true;
        }

        // One that holds other rows gets none of these; the stage looks what became of the dead.
        Assert.Empty(await stage.LeaseAsync("busy", new LeaseRequest(1, null) { Held = 8 }));

        Assert.Equal((3, 32), await LostAsync());

        async Task<(int Lost, int Suspect)> LostAsync()
        {
            // A worker that is dead, and does not know it, makes the stage look who else is.
            silo.Membership.Dead["doomed"] = true;
            await stage.RenewAsync("doomed", [new(new("key", 0, 1, Guid.NewGuid()), 0)]);
            var status = await stage.GetStatusAsync("doomed");
            return (status.PartsLost, status.RowsSuspect);
        }
    }

    [Fact]
    public async Task GetStatus_PartsLost_OutliveTheCoordinatorAndAnotherSubmission()
    {
        await using var own = new TestSilo();
        await own.InitializeAsync();
        var plan = TestStages.Plan("lost", TestStages.Planned(TestSilo.NewStage(), new(0, 64)));
        await own.Sweep("lost").SubmitAsync(plan);
        Assert.NotNull(await own.Stage(plan.Stages[0].Key).LeaseAsync("mortal", null));
        own.Membership.Dead["mortal"] = true;
        Assert.NotNull(await own.Stage(plan.Stages[0].Key).LeaseAsync("next", null));

        await own.Sweep("lost").SubmitAsync(plan);
        await own.RestartAsync();

        Assert.Equal(1, (await own.Stage(plan.Stages[0].Key).GetStatusAsync("lost")).PartsLost);
    }

    /// <summary>docs/design/dashboard.md has what this writes.</summary>
    [Fact]
    public async Task GetParts_AHundredThousandPartsAndFiveThousandLeases_AnswersInKilobytes()
    {
        const int Parts = 100_000;
        const int Leases = 5_000;
        const int Looks = 20;
        var spec = TestSilo.NewStage() with { Input = TestStages.Noise(seed: 100_005, totalRows: Parts * PartGrid.MaxRows) };
        var plan = TestStages.Plan("hundred-thousand", TestStages.Planned(spec, new(0, Parts * PartGrid.MaxRows)));
        await silo.Sweep(plan.SweepId).SubmitAsync(plan);
        var stage = silo.Stage(plan.Stages[0].Key);
        // Every fourth part of the first half is missing, so that there are gaps to count.
        var first = (await stage.LeaseAsync("worker", null))!;
        await stage.CompleteAsync(
            first.Attempt,
            RowSet.Of([.. Enumerable.Range(0, Parts / 2).Where(p => p % 4 != 0).Select(p => new RowRange(p * 32, (p + 1) * 32))]),
            first.Keep, []);
        for (var (out_, worker) = (0, 0); out_ < Leases; worker++)
        {
            var leases = await stage.LeaseAsync(
                $"10.0.{worker / 256}.{worker % 256}:11111@134567890", new LeaseRequest(32 * Math.Min(50, Leases - out_), null)
                {
                    Host = $"gpu-node-{worker:D4}",
                });
            Assert.NotEmpty(leases);
            out_ += leases.Length;
        }

        var ask = new StagePartsAsk(plan.SweepId, StageParts.MostBins, 2000, StageParts.MostLeases);
        var parts = await stage.GetPartsAsync(ask);
        var clock = Stopwatch.StartNew();
        for (var i = 0; i < Looks; i++)
            await stage.GetPartsAsync(ask);
        var each = clock.Elapsed.TotalMilliseconds / Looks;
        using var services = new ServiceCollection().AddSerializer(b => b.AddAssembly(typeof(IStageGrain).Assembly)).BuildServiceProvider();
        var bytes = services.GetRequiredService<Serializer>().SerializeToArray(parts).Length;
        TestContext.Current.TestOutputHelper?.WriteLine($"{Leases} leases: {each:F1} ms and {bytes} bytes a look");

        Assert.Equal((Leases, StageParts.MostLeases, StageParts.MostBins), (parts.LeasesTotal, parts.Leases.Length, parts.Strip.Length));
        Assert.Equal(Leases * 32, parts.Strip.Sum(b => b.Running));
        Assert.Equal(Parts / 2 * 3 / 4 * 32, parts.Strip.Sum(b => b.Done));
        Assert.InRange(bytes, 1, 100 << 10);
        await silo.Sweep(plan.SweepId).CancelAsync();
    }

    async Task<(IStageGrain Stage, string Key)> DemandedAsync(string sweepId, int rows)
    {
        var spec = TestSilo.NewStage();
        spec = spec with { Input = (NoiseRows)spec.Input with { TotalRows = rows } };
        var plan = TestStages.Plan(sweepId, TestStages.Planned(spec, new(0, rows)));
        await silo.Sweep(sweepId).SubmitAsync(plan);
        return (silo.Stage(plan.Stages[0].Key), plan.Stages[0].Key);
    }
}
