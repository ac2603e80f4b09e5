using System.ComponentModel.DataAnnotations;

namespace Taba.Silo.Workers;

/// <summary>Settings of a worker's choice of work.</summary>
public sealed class WorkerSettings
{
    /// <summary>Section of the settings.</summary>
    public const string Section = "Taba:Worker";

    /// <summary>
    /// Work for a model that is not loaded waits this long while there is other work of the same priority for models that are.
    /// </summary>
    /// <value>The default value is 60 seconds.</value>
    [Range(typeof(TimeSpan), "00:00:00", "1.00:00:00")]
    public TimeSpan SwitchAfter { get; set; } = TimeSpan.FromSeconds(60);
}
