using System.Collections.Immutable;
using System.Text.Json;

namespace Taba.Scale;

/// <summary>What a simulated silo did so far. It writes it to a file of its name once a second.</summary>
sealed record SiloReport
{
    /// <summary>When the first part of each stage reached it.</summary>
    public ImmutableDictionary<string, DateTimeOffset> FirstLeases { get; init; } = ImmutableDictionary<string, DateTimeOffset>.Empty;

    /// <summary>When its last manifest was published.</summary>
    public DateTimeOffset? LastPublication { get; init; }

    public long Parts { get; init; }

    /// <summary>Parts whose rows another attempt had published before.</summary>
    public long PartsTooLate { get; init; }

    /// <summary>Parts that failed as they began.</summary>
    public long PartsFailed { get; init; }

    /// <summary>Rows of other stages that were read from the store, kept ones once for each step, and those that were at hand.</summary>
    public long RowsRead { get; init; }

    public long RowsAtHand { get; init; }

    /// <summary>Calls of the project's grains here.</summary>
    public long Calls { get; init; }

    public long Passes { get; init; }

    /// <summary>Rows times steps.</summary>
    public long RowSteps { get; init; }

    public long ReportsFailed { get; init; }

    /// <summary>Seconds between a part's last sample and its manifest, summed over parts.</summary>
    public double PublishSeconds { get; init; }

    /// <summary>What came after <paramref name="earlier"/>.</summary>
    public SiloReport Since(SiloReport earlier) => this with
    {
        Parts = Parts - earlier.Parts,
        PartsTooLate = PartsTooLate - earlier.PartsTooLate,
        PartsFailed = PartsFailed - earlier.PartsFailed,
        RowsRead = RowsRead - earlier.RowsRead,
        RowsAtHand = RowsAtHand - earlier.RowsAtHand,
        Calls = Calls - earlier.Calls,
        Passes = Passes - earlier.Passes,
        RowSteps = RowSteps - earlier.RowSteps,
        ReportsFailed = ReportsFailed - earlier.ReportsFailed,
        PublishSeconds = PublishSeconds - earlier.PublishSeconds,
    };

    public void Write(string path)
    {
        var temporary = path + ".tmp";
        File.WriteAllText(temporary, JsonSerializer.Serialize(this));
        File.Move(temporary, path, overwrite: true);
    }

    public static SiloReport Read(string path) =>
        File.Exists(path) ? JsonSerializer.Deserialize<SiloReport>(File.ReadAllText(path)) ?? new() : new();
}
