using System.Text.Json;

namespace Taba.Scale;

/// <summary>What a simulated silo did so far. It writes it to a file of its name once a second.</summary>
sealed record SiloReport
{
    /// <summary>When the first part of the newest stage reached it.</summary>
    public DateTimeOffset? FirstLease { get; init; }

    /// <summary>When its last manifest was published.</summary>
    public DateTimeOffset? LastPublication { get; init; }

    public long Parts { get; init; }

    /// <summary>Parts whose rows another attempt had published before.</summary>
    public long PartsTooLate { get; init; }

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
