using System.ComponentModel.DataAnnotations;

namespace Taba.Grains.Stages;

/// <summary>Settings of computing published rows once more, to find machines that compute something else.</summary>
public sealed class VerifyOptions
{
    /// <summary>Section of the settings.</summary>
    public const string Section = "Taba:Verify";

    /// <summary>
    /// Of the parts of deterministic stages one in so many is computed a second time, on another silo where there is one.
    /// </summary>
    /// <value>The default value is 0: none.</value>
    [Range(0, 1_000_000)]
    public int OneIn { get; set; }
}
