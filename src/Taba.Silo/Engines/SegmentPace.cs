using Taba.Diffusion.Engine;

namespace Taba.Silo.Engines;

/// <summary>Chooses the steps of a segment, so that checkpoints come about as often as wanted. One for each engine.</summary>
/// <param name="checkpointEvery">The time between two checkpoints of a trajectory.</param>
sealed class SegmentPace(TimeSpan checkpointEvery)
{
    /// <summary>The most steps of a segment, for models whose steps take next to nothing.</summary>
    public const int MostSteps = 100_000;

    /// <summary>Turns after which the pace is measured anew: the first are slow, and a device may become slower.</summary>
    const int TurnsMeasured = 16;

    readonly Lock _lock = new();
    long _turns;
    TimeSpan _busy;
    double _secondsPerTurn;

    /// <summary>Steps of the next segment.</summary>
    /// <param name="now">What the engine did so far. Before its first turn nothing is known, and a segment is one step.</param>
    public int Steps(EngineStatistics now)
    {
        var perTurn = SecondsPerTurn(now);
        if (perTurn <= 0)
            return 1;
        // With more occupied slots than a batch has rows, a trajectory moves only in one of several turns.
        var turnsPerStep = Math.Max(1.0, (double)now.SlotsInUse / Math.Max(1, now.BatchLimit));
        return (int)Math.Clamp(checkpointEvery.TotalSeconds / (perTurn * turnsPerStep), 1, MostSteps);
    }

    double SecondsPerTurn(EngineStatistics now)
    {
        var busy = now.NetworkTime + now.OverheadTime + now.OutputWaitTime + now.LingerTime;
        lock (_lock)
        {
            var turns = now.Turns - _turns;
            if (turns >= TurnsMeasured || (_secondsPerTurn == 0 && turns > 0))
            {
                _secondsPerTurn = (busy - _busy).TotalSeconds / turns;
                (_turns, _busy) = (now.Turns, busy);
            }
            return _secondsPerTurn;
        }
    }
}
