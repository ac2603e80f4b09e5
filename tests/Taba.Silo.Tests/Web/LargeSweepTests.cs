using System.Diagnostics;
using Taba.Grains.Stages;
using Taba.Grains.Sweeps;

namespace Taba.Silo.Tests.Web;

/// <summary>
/// What is shown does not grow with the work: a stage of a hundred thousand parts, every second one done, some thousands out.
/// </summary>
public sealed class LargeSweepTests : IAsyncLifetime
{
    const int Rows = 3_200_000;
    const int Leases = 5000;
    const int Sweeps = 1000;
    const int MostBytes = 200_000;

    ShownSilo _silo = null!;

    public async ValueTask InitializeAsync() => _silo = await ShownSilo.StartAsync(
        settings: [new("Taba:Leases:Duration", "00:30:00"), new("Taba:Leases:ProgressWithin", "01:00:00")]);

    public ValueTask DisposeAsync() => _silo.DisposeAsync();

    [Fact]
    public async Task Answers_OfAHugeStageAndManySweeps_StaySmall()
    {
        var plan = await BeginAsync();
        var (id, key) = (plan.SweepId, plan.Stages[0].Key);
        var parts = await _silo.JsonAsync($"api/stages/{key}/parts?sweep={id}&bins=256&count=500");
        Assert.InRange(parts.GetProperty("leasesTotal").GetInt32(), Leases, Leases + 100);
        Assert.Equal(500, parts.GetProperty("leases").GetArrayLength());
        Assert.All(parts.GetProperty("strip").EnumerateArray(), b => Assert.InRange(b[1].GetInt32(), 6200, 6300));

        foreach (var path in new[]
        {
            "api/sweeps?count=500", "api/sweeps", $"api/sweeps/{id}", $"api/sweeps/{id}/stages?bins=256&count=32",
            $"api/sweeps/{id}/stages",
            $"api/stages/{key}/parts?sweep={id}&bins=256&count=500", $"api/sweeps/{id}/runs", $"api/sweeps/{id}/failures",
            $"api/sweeps/{id}/log", "api/silos", "api/devices/history",
        })
        {
            var (bytes, processor) = await LookAsync(path);
            TestContext.Current.TestOutputHelper?.WriteLine($"{path}: {bytes} bytes, {processor.TotalMilliseconds:0.0} ms");
            Assert.True(bytes < MostBytes, $"{path}: {bytes} bytes");
        }
    }

    async Task<SweepPlan> BeginAsync()
    {
        var plan = _silo.Plan(Rows);
        var grains = _silo.Silo.Grains;
        await _silo.SubmitAsync(plan);
        var stage = grains.GetGrain<IStageGrain>(StageAddress.GrainKey(plan.Stages[0].Key));
        var leases = new List<PartLease>();
        while (leases.Count <= Leases)
            leases.AddRange(await stage.LeaseAsync(_silo.Silo.Address.ToParsableString(), new(Rows, null)));
        var done = Enumerable.Range(0, Rows / (2 * CellGrid.Rows))
            .Select(i => new RowRange((2 * i + 1) * CellGrid.Rows, (2 * i + 2) * CellGrid.Rows));
        await stage.CompleteAsync(
            leases.First(l => l.Rows.Start == CellGrid.Rows).Attempt, RowSet.Of([.. done]), CaptureSelection.None, []);
        var index = grains.GetGrain<ISweepIndexGrain>(0);
        for (var i = 0; i < Sweeps; i++)
        {
            var other = $"{i:x16}";
            await index.AddAsync(new(other, $"one of many sweeps, {i}", 0, false, DateTimeOffset.UnixEpoch, null, null)
            {
                User = "somebody@a-machine-with-a-name",
                Progress = new(other, i, 12_345_678.5, 98_765_432.5, 17, 1234.5, TimeSpan.FromHours(3), 12),
            });
        }
        return plan;
    }

    /// <summary>
    /// The answer's bytes, and this process's processor time for a look; of looks that each read anew where that is measured.
    /// </summary>
    async Task<(int Bytes, TimeSpan Processor)> LookAsync(string path)
    {
        const int looks = 10;
        var bytes = 0;
        var spent = TimeSpan.Zero;
        for (var i = 0; i < looks; i++)
        {
            var before = Process.GetCurrentProcess().TotalProcessorTime;
            bytes = (await _silo.Client.GetByteArrayAsync(path)).Length;
            spent += Process.GetCurrentProcess().TotalProcessorTime - before;
            if (i < looks - 1 && Measuring)
                await Task.Delay(1100);
        }
        return (bytes, spent / looks);
    }

    /// <summary>Set by hand for docs/design/dashboard.md: it takes minutes.</summary>
    static bool Measuring => Environment.GetEnvironmentVariable("TABA_MEASURE") is "1";
}
