using Taba.Grains.Stages;

namespace Taba.Grains.Words;

/// <summary>How a stage stands, in one word.</summary>
public enum StageStanding
{
    Waiting,
    Running,

    /// <summary>Every row is there or given up, and some are given up.</summary>
    Failed,
    Done,

    /// <summary>It does not answer.</summary>
    Silent,
}

/// <summary>Stages in words.</summary>
public static class StageText
{
    /// <summary>How a stage stands.</summary>
    public static StageStanding Standing(StageStatus stage) => stage switch
    {
        { Silence: not null } => StageStanding.Silent,
        _ when stage.RowsWanted > 0 && stage.RowsDone + stage.RowsFailed >= stage.RowsWanted =>
            stage.RowsFailed > 0 ? StageStanding.Failed : StageStanding.Done,
        { PartsLeased: > 0 } => StageStanding.Running,
        _ => StageStanding.Waiting,
    };

    /// <summary>The word for it, everywhere.</summary>
    public static string Word(StageStanding standing) => standing.ToString().ToLowerInvariant();

    /// <summary>How some stages stand together: the word where it is one and the same, else how many stand how.</summary>
    public static string Words(IReadOnlyCollection<StageStatus> stages)
    {
        var kinds = stages.GroupBy(Standing).OrderByDescending(g => g.Key).ToList();
        return kinds.Count == 1 ? Word(kinds[0].Key) : string.Join(", ", kinds.Select(g => $"{g.Count()} {Word(g.Key)}"));
    }
}
