using System.ComponentModel.DataAnnotations;

namespace Taba.Grains.Stages;

/// <summary>Times and limits of leases.</summary>
public sealed class LeaseOptions
{
    /// <summary>Section of the settings.</summary>
    public const string Section = "Taba:Leases";

    /// <summary>A lease ends this long after its last renewal.</summary>
    /// <value>The default value is 30 seconds.</value>
    [Range(typeof(TimeSpan), "00:00:02", "01:00:00")]
    public TimeSpan Duration { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>The time between two renewals of a worker.</summary>
    /// <value>The default value is 1 second.</value>
    [Range(typeof(TimeSpan), "00:00:00.050", "00:05:00")]
    public TimeSpan RenewEvery { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>A lease whose part does not get on for this time ends, although its worker renews it: others try the part.</summary>
    /// <value>The default value is 15 minutes: loading a large model from a slow disk takes a while.</value>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan ProgressWithin { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>
    /// Attempts at the same rows that may die without getting on. Then the rows are tried on a host that has nothing else.
    /// </summary>
    /// <value>The default value is 3.</value>
    [Range(1, 100)]
    public int StrikesBeforeSplit { get; set; } = 3;

    /// <summary>
    /// A host that failed at a stage gets rows of it again after a second, twice as long each time that it fails, at most this; null when
    /// only a new submission makes it.
    /// </summary>
    /// <value>The default value is null: a command alone ends with status 3. A silo of a cluster sets 5 minutes.</value>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan? LongestPause { get; set; }
}
