using System.Collections.Immutable;
using System.Globalization;

namespace Taba.Scale;

/// <summary>What a process took in a run.</summary>
/// <param name="Cpu">Processor time from submission to the end.</param>
/// <param name="ResidentBefore">Bytes in memory when the sweep was submitted.</param>
/// <param name="ResidentHalfway">When half of the samples were published.</param>
/// <param name="ResidentAfter">At the end.</param>
/// <param name="PeakResident">The most.</param>
sealed record ProcessResult(string Name, TimeSpan Cpu, long ResidentBefore, long ResidentHalfway, long ResidentAfter, long PeakResident);

/// <summary>A run, measured.</summary>
sealed record ScaleResult
{
    const double Mebibyte = 1 << 20;

    public required ScaleOptions Options { get; init; }

    /// <summary>From the first lease to the last publication.</summary>
    public required TimeSpan Wall { get; init; }

    /// <summary>From submission until the sweep said that it had ended.</summary>
    public required TimeSpan Elapsed { get; init; }

    public required int Parts { get; init; }

    public required long PartsTooLate { get; init; }

    public required long Passes { get; init; }

    public required long RowSteps { get; init; }

    public required long ReportsFailed { get; init; }

    /// <summary>Mean seconds from a part's last sample to its manifest.</summary>
    public required double PublishSeconds { get; init; }

    public required TimeSpan DatabaseCpu { get; init; }

    /// <summary>Share of the machine's processor time that anything used, other programs included.</summary>
    public required double MachineBusy { get; init; }

    /// <summary>The coordinator first.</summary>
    public required ImmutableArray<ProcessResult> Processes { get; init; }

    public double Efficiency => Options.Ideal / Wall;

    public static string Heading =>
        """
        | silos x devices | samples | parts | ideal, s | wall, s | efficiency | rows of a pass | coordinator: cores, MiB | a silo: cores, MiB | ms of processor a sample | publication, ms | machine busy |
        |---|---|---|---|---|---|---|---|---|---|---|---|
        """;

    public string Row
    {
        get
        {
            var coordinator = Processes[0];
            var silos = Processes[1..];
            return string.Create(CultureInfo.InvariantCulture,
                $"| {Options.Silos} x {Options.DevicesPerSilo} | {Options.Samples:N0} | {Parts:N0} | {Options.Ideal.TotalSeconds:F1} | "
                + $"{Wall.TotalSeconds:F1} | {Efficiency:F3} | {(double)RowSteps / Passes:F1} | {coordinator.Cpu / Elapsed:F3}, "
                    + $"{coordinator.PeakResident / Mebibyte:F0} | {silos.Average(s => s.Cpu / Elapsed):F3}, "
                        + $"{silos.Max(s => s.PeakResident) / Mebibyte:F0} | "
                            + $"{(Processes.Aggregate(DatabaseCpu, (sum, p) => sum + p.Cpu)).TotalMilliseconds / Options.Samples:F2} | "
                                + $"{PublishSeconds * 1000:F0} | {MachineBusy:P0} |");
        }
    }

    /// <summary>Each process on a line.</summary>
    public string Details
    {
        get
        {
            var lines = Processes.Select(p => string.Create(CultureInfo.InvariantCulture,
                $"| {p.Name} | {p.Cpu.TotalSeconds:F1} | {p.Cpu / Elapsed:F3} | {p.ResidentBefore / Mebibyte:F0} | "
                + $"{p.ResidentHalfway / Mebibyte:F0} | {p.ResidentAfter / Mebibyte:F0} | {p.PeakResident / Mebibyte:F0} |"));
            return string.Create(CultureInfo.InvariantCulture,
                $"""
                | process | processor, s | cores | MiB before | halfway | at the end | peak |
                |---|---|---|---|---|---|---|
                {string.Join('\n', lines)}
                | database | {DatabaseCpu.TotalSeconds:F1} | {DatabaseCpu / Elapsed:F3} | | | | |

                Submitted to ended {Elapsed.TotalSeconds:F1} s; {PartsTooLate} parts were published by another attempt first; {ReportsFailed} reports failed; row steps {RowSteps:N0} of {(long)Options.Samples * Options.Steps:N0}.
                """);
        }
    }
}
