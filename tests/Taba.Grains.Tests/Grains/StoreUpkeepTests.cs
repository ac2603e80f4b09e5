using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Taba.Grains.Tests.Fakes;
using Taba.Grains.Upkeep;

namespace Taba.Grains.Tests.Grains;

/// <summary>One reminder in a cluster, and what it has done when it comes.</summary>
public sealed class StoreUpkeepTests
{
    [Fact]
    public async Task Ensure_SettingChanged_OneReminderOfTheNewOne()
    {
        await using var silo = new TestSilo();
        await silo.InitializeAsync();
        var upkeep = Upkeep(silo);
        // As a silo that starts with other settings would ask.
        var options = silo.Cluster.Silos[0].ServiceProvider.GetRequiredService<IOptions<StoreUpkeepOptions>>().Value;
        options.ForgetAfter = TimeSpan.Zero;
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => upkeep.EnsureAsync()));
        Assert.StartsWith("sweep every 1.00:00:00, 1.00:00:00, ", Assert.Single(await RemindersAsync(silo)), StringComparison.Ordinal);

        options.SweepEvery = TimeSpan.FromHours(2);
        await upkeep.EnsureAsync();
        Assert.StartsWith("sweep every 02:00:00, 02:00:00, ", Assert.Single(await RemindersAsync(silo)), StringComparison.Ordinal);

        options.SweepEvery = TimeSpan.Zero;
        await upkeep.EnsureAsync();
        Assert.Empty(await RemindersAsync(silo));
    }

    [Fact]
    public async Task Reminder_Comes_SweepsWhatNoAttemptUsesAndOneAtATime()
    {
        await using var silo = new TestSilo();
        await silo.InitializeAsync();
        var upkeep = Upkeep(silo).AsReference<IRemindable>();
        await upkeep.ReceiveReminder("sweep", default);
        await upkeep.ReceiveReminder("sweep", default);

        var (inUse, swept) = await NextAsync(silo);
        Assert.Empty(await inUse("0123456789abcdef"));
        Assert.False(silo.Upkeep.Sweeps.TryRead(out _));

        // A sweep that fails is tried again when the reminder comes the next time.
        swept.SetException(new IOException("the disk is gone"));
        silo.Time.Advance(TimeSpan.FromDays(1));
        while (!silo.Upkeep.Sweeps.TryRead(out (Func<string, Task<IReadOnlySet<Guid>>> InUse, TaskCompletionSource<int> Swept) next))
            await upkeep.ReceiveReminder("sweep", default).WaitAsync(TestSilo.Patience);
    }

    [Theory]
    [InlineData("00:00:00", true)]
    [InlineData("00:00:59", false)]
    [InlineData("00:01:00", true)]
    [InlineData("30.00:00:00", true)]
    [InlineData("31.00:00:00", false)]
    [InlineData("-00:00:01", false)]
    public void SweepEvery_ZeroOrWhatRemindersCan_IsTaken(string value, bool taken)
    {
        var options = new StoreUpkeepOptions { SweepEvery = TimeSpan.Parse(value, System.Globalization.CultureInfo.InvariantCulture) };
        Assert.Equal(taken, Validator.TryValidateObject(options, new(options), [], validateAllProperties: true));
    }

    static IStoreUpkeepGrain Upkeep(TestSilo silo) => silo.Grains.GetGrain<IStoreUpkeepGrain>(0);

    static async Task<string[]> RemindersAsync(TestSilo silo) =>
        (await silo.ObserveRemindersAsync(Upkeep(silo))).Split("; ", StringSplitOptions.RemoveEmptyEntries);

    static async Task<(Func<string, Task<IReadOnlySet<Guid>>> InUse, TaskCompletionSource<int> Swept)> NextAsync(TestSilo silo) =>
        await silo.Upkeep.Sweeps.ReadAsync().AsTask().WaitAsync(TestSilo.Patience);
}
