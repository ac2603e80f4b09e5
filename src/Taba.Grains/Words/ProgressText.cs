using Taba.Grains.Sweeps;

namespace Taba.Grains.Words;

/// <summary>How far a sweep is, in words: its own figures, wherever they are shown.</summary>
public static class ProgressText
{
    /// <summary>Done over planned evaluations; 100 % only when nothing is left.</summary>
    public static string Percent(double done, double planned) =>
        planned <= 0 || done >= planned ? "100 %" : $"{Math.Min(99, Math.Floor(100 * Math.Clamp(done / planned, 0, 1))):0} %";

    /// <summary>Evaluations, rate and time left.</summary>
    public static string Of(SweepStatus status)
    {
        var done = $"{Percent(status.EvaluationsDone, status.EvaluationsPlanned)} · {Quantities.Count(status.EvaluationsDone)} of "
            + $"{Quantities.Count(status.EvaluationsPlanned)} evaluations";
        return status.State switch
        {
            SweepState.Running => $"{done} · {Quantities.Rate(status.Rate)} · {Quantities.Left(status.Left)}",
            _ => $"{done} · {SweepText.Word(status.State)}",
        };
    }

    /// <summary>What was lost on the way; null when nothing was.</summary>
    public static string? Recovered(long parts) => parts switch
    {
        0 => null,
        1 => "recovered 1 lost part",
        _ => $"recovered {Quantities.Count(parts)} lost parts",
    };
}
