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

    public required int Stages { get; init; }

    /// <summary>Network evaluations of all stages, each counted once.</summary>
    public required long Evaluations { get; init; }

    public required int Parts { get; init; }

    /// <summary>Parts that failed as they began.</summary>
    public required long PartsFailed { get; init; }

    /// <summary>Rows of other stages that were read from the store, and that were at hand.</summary>
    public required long RowsRead { get; init; }

    public required long RowsAtHand { get; init; }

    public required long CoordinatorCalls { get; init; }

    /// <summary>Writes of grain state.</summary>
    public required long StateWrites { get; init; }

    /// <summary>Bytes of all grain state, halfway or at the end.</summary>
    public required long StateBytes { get; init; }

    /// <summary>How long the coordinator was away; zero when it was not.</summary>
    public required TimeSpan Restart { get; init; }

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

    /// <summary>How long it takes if no device ever waits.</summary>
    public TimeSpan Ideal => TimeSpan.FromSeconds(Evaluations / Options.Speed);

    public double Efficiency => Ideal / Wall;

    public static string Heading =>
        "| silos x devices | sweeps, stages | samples | parts | ideal, s | wall, s | efficiency | rows of a pass | coordinator: cores, MiB "
        + "| ms of it a part | calls of it a part | writes of state, KiB | a silo: cores, MiB | ms of processor a part | publication, ms "
        + "| machine busy |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|";

    public string Row
    {
        get
        {
            var coordinator = Processes[0];
            var silos = Processes[1..];
            var all = Processes.Aggregate(DatabaseCpu, (sum, p) => sum + p.Cpu);
            return string.Create(
                CultureInfo.InvariantCulture,
                $"| {Options.Silos} x {Options.DevicesPerSilo} | {Options.Sweeps}, {Stages} | {Options.Samples:N0} | {Parts:N0} "
                + $"| {Ideal.TotalSeconds:F1} | {Wall.TotalSeconds:F1} | {Efficiency:F3} | {(double)RowSteps / Passes:F1} "
                + $"| {coordinator.Cpu / Elapsed:F3}, {coordinator.PeakResident / Mebibyte:F0} "
                + $"| {coordinator.Cpu.TotalMilliseconds / Parts:F2} | {(double)CoordinatorCalls / Parts:F1} "
                + $"| {StateWrites:N0}, {StateBytes / 1024.0:F0} "
                + $"| {silos.Average(s => s.Cpu / Elapsed):F3}, {silos.Max(s => s.PeakResident) / Mebibyte:F0} "
                + $"| {all.TotalMilliseconds / Parts:F1} | {PublishSeconds * 1000:F0} | {MachineBusy:P0} |");
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

                Submitted to ended {Elapsed.TotalSeconds:F1} s; {PartsTooLate} parts were published by another attempt first;
                {ReportsFailed} reports failed; row steps {RowSteps:N0} of {Evaluations:N0}. {PartsFailed} parts failed as they began;
                rows of other stages: {RowsRead:N0} read, {RowsAtHand:N0} at hand; the coordinator was away for {Restart.TotalSeconds:F1} s.
                """);
        }
    }
}
