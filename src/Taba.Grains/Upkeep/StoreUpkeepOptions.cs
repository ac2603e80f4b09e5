using System.ComponentModel.DataAnnotations;

namespace Taba.Grains.Upkeep;

/// <summary>Settings of a cluster's upkeep of its tensor store.</summary>
public sealed class StoreUpkeepOptions : IValidatableObject
{
    /// <summary>Section of the settings.</summary>
    public const string Section = "Taba:Store";

    /// <summary>Orleans has no reminders that come more often.</summary>
    static readonly TimeSpan s_shortest = TimeSpan.FromMinutes(1);

    /// <summary>
    /// In a cluster: objects and checkpoints that nobody uses are deleted this often. 0 deletes none.
    /// </summary>
    /// <value>The default value is 1 day.</value>
    [Range(typeof(TimeSpan), "00:00:00", "30.00:00:00")]
    public TimeSpan SweepEvery { get; set; } = TimeSpan.FromDays(1);

    /// <summary>
    /// In a cluster: the states of sweeps, and of stages that nobody wants, are cleared so long after their end. A sweep that is submitted
    /// again afterwards finds what was published in the store. 0 clears none.
    /// </summary>
    /// <value>The default value is 30 days.</value>
    [Range(typeof(TimeSpan), "00:00:00", "3650.00:00:00")]
    public TimeSpan ForgetAfter { get; set; } = TimeSpan.FromDays(30);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (SweepEvery > TimeSpan.Zero && SweepEvery < s_shortest)
            yield return new(
                $"{Section}:{nameof(SweepEvery)} is {SweepEvery}: it must be 0, for never, or at least {s_shortest}", [nameof(SweepEvery)]);
    }
}
