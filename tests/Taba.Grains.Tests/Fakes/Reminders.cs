using Microsoft.Extensions.DependencyInjection;

namespace Taba.Grains.Tests.Fakes;

/// <summary>The table of reminders, as it stands in a database.</summary>
static class Reminders
{
    /// <summary>A grain's reminders, with the tag of their last write.</summary>
    public static async Task<string> ObserveRemindersAsync(this TestSilo silo, IAddressable grain) =>
        string.Join(
            "; ", (await Table(silo).ReadRows(grain.GetGrainId())).Reminders.Select(r => $"{r.ReminderName}, {r.Period}, {r.ETag}"));

    public static async Task ForgetRemindersAsync(this TestSilo silo, IAddressable grain)
    {
        foreach (var reminder in (await Table(silo).ReadRows(grain.GetGrainId())).Reminders)
            await Table(silo).RemoveRow(reminder.GrainId, reminder.ReminderName, reminder.ETag!);
    }

    static IReminderTable Table(TestSilo silo) => silo.Cluster.Silos[0].ServiceProvider.GetRequiredService<IReminderTable>();
}
