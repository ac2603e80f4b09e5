namespace Taba.Grains.Stages;

/// <summary>Parts of a stage that were lost together, without their worker's doing: their rows are handed out again.</summary>
/// <param name="At">When the stage noticed.</param>
/// <param name="Host">The host that had them.</param>
/// <param name="How">What became of it.</param>
/// <param name="Parts">How many there were.</param>
/// <param name="Evaluations">Network evaluations behind them: as many are made again at most.</param>
[GenerateSerializer, Immutable, Alias("taba.PartsLoss")]
public sealed record PartsLoss(DateTimeOffset At, string Host, LeaseEnd How, int Parts, double Evaluations);

/// <summary>How a lease ended without its worker's doing.</summary>
public enum LeaseEnd
{
    /// <summary>The worker's silo is no member any more.</summary>
    WorkerLost,

    /// <summary>The worker did not renew it.</summary>
    Expired,

    /// <summary>The worker renewed it, and its part did not get on.</summary>
    Stuck,
}
