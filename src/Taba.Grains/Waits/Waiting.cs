using Taba.Grains.Faults;
using Taba.Grains.Stages;
using Taba.Grains.Sweeps;
using Taba.Grains.Words;

namespace Taba.Grains.Waits;

/// <summary>
/// Why a stage waits, in a sentence: who or what it waits for, and what ends that. Pure, so that the page and the command say the same.
/// </summary>
public static class Waiting
{
    /// <param name="stage">A stage of the sweep.</param>
    /// <param name="facts">What is known.</param>
    /// <returns>Null when nothing of it waits: it is done, or all that is left is out, or runs and goes on as workers have room.</returns>
    public static StageWait? Of(StageStatus stage, WaitFacts facts)
    {
        var rest = stage.RowsWanted - stage.RowsDone - stage.RowsFailed;
        if (!facts.Status.State.IsLive() || rest <= 0)
            return null;
        if (stage.Silence is { } silence)
        {
            return new(
                WaitKind.Silent, $"The stage's coordinator does not answer and is asked again in some seconds: {Sentences.Bare(silence)}.");
        }
        if (rest <= stage.RowsLeased)
            return null;
        if (facts.Status.State is SweepState.Paused)
            return new(WaitKind.Paused, "The sweep is paused: its rows are handed out again when somebody resumes it.");
        if (stage.Fault is { } fault)
            return OfFault(stage, fault);
        if (Silence(stage, facts) is { } silent)
            return silent;
        if (stage.RowsReady == 0)
            return OfInputs(stage, facts) ?? Soon(stage);
        // Parts are out, and the next ones go as workers have room: nothing stands in the way.
        return stage.PartsLeased > 0 && stage.RowsReady > stage.RowsSuspect ? null : OfWorkers(stage, facts);
    }

    static StageWait OfFault(StageStatus stage, string fault)
    {
        var rests = Resting(stage).ToList();
        if (rests.Count == 0)
        {
            return new(WaitKind.Fault, stage.Refusals.IsEmpty
                ? $"No silo goes on with it until the sweep is submitted again: {Sentences.Bare(fault)}."
                : $"No silo takes it: {Sentences.Bare(fault)}. It begins when one can; {stage.Refusals[0].Silo} says: "
                    + $"{Sentences.Bare(stage.Refusals[0].Reason)}.");
        }
        var next = rests.MinBy(p => p.Remaining)!;
        return stage.FaultOwner is FaultOwner.Store
            ? new(WaitKind.Store, $"The store does not answer and is tried again in {Times.Text(next.Remaining)}: {Sentences.Bare(fault)}.")
            : new(WaitKind.Fault,
                $"Every silo that could take it failed or refuses; host {next.Host} is asked again in {Times.Text(next.Remaining)}: "
                + $"{Sentences.Bare(fault)}.");
    }

    /// <summary>The stage answers the sweep, and did not answer a worker.</summary>
    static StageWait? Silence(StageStatus stage, WaitFacts facts)
    {
        if (facts.Standing?.Silent.FirstOrDefault(s => s.StageKey == stage.Key) is not { StageKey: not null } silent)
            return null;
        var again = silent.Rest > TimeSpan.Zero ? $"in {Times.Text(silent.Rest)}" : "now";
        return silent.OfStore
            ? new(WaitKind.Store, $"The store does not answer and is tried again {again}: {Sentences.Bare(silent.Reason)}.")
            : new(
                WaitKind.Silent,
                $"The stage's coordinator gave a worker no answer and is asked again {again}: {Sentences.Bare(silent.Reason)}.");
    }

    static StageWait? OfInputs(StageStatus stage, WaitFacts facts)
    {
        if (facts.Plan.Stages.FirstOrDefault(s => s.Key == stage.Key)?.Spec is not { } spec)
            return null;
        var inputs = spec.InputKeys
            .Select(key => facts.Status.Stages.FirstOrDefault(s => s.Key == key)).OfType<StageStatus>().ToList();
        if (inputs.FirstOrDefault(i => i.RowsDone + i.RowsFailed < i.RowsWanted) is { } open)
        {
            return new(WaitKind.Inputs,
                $"Its input rows are not published yet: {open.RowsDone} of {open.RowsWanted} rows of {Name(open.Key, facts)} are there.");
        }
        return inputs.FirstOrDefault(i => i.RowsFailed > 0) is { } lost
            ? new(WaitKind.InputsGivenUp,
                $"What is left of it reads rows that are given up: {lost.RowsFailed} of {lost.RowsWanted} rows of {Name(lost.Key, facts)}. "
                + "They are tried again when somebody retries the sweep.")
            : null;
    }

    static StageWait OfWorkers(StageStatus stage, WaitFacts facts)
    {
        // Parts without steps pass through autoencoders or are measured, on coordinators too.
        var steps = stage.Kind is not (StageKind.Decode or StageKind.Encode or StageKind.Measure);
        if (steps && facts.DevicesWorking == 0)
            return new(WaitKind.NoDevice, "No device takes work: it begins when a silo with one joins.");
        if (facts.Standing?.Sweeps.FirstOrDefault(s => s.SweepId == facts.Status.SweepId).Behind is { } first)
            return new(WaitKind.Behind, $"Sweep {first} has a higher priority and goes first: this one gets what it leaves.");
        if (stage.RowsSuspect >= stage.RowsReady)
        {
            return new(WaitKind.Suspect,
                $"{Rows(stage.RowsSuspect)} ended with the hosts that computed them: they wait for a worker that holds nothing else.");
        }
        var waiting = steps ? facts.Standing?.WorkersWaiting : facts.Standing?.WorkersWaitingForParts;
        return waiting switch
        {
            0 => new(WaitKind.Busy, "Every worker is busy: its rows are handed out as soon as one has room."),
            not null when Resting(stage).FirstOrDefault() is { } pause => new(
                WaitKind.Busy,
                $"Workers that have room failed at it, and the others are busy; host {pause.Host} is asked again in "
                + $"{Times.Text(pause.Remaining)}."),
            _ => Soon(stage),
        };
    }

    /// <summary>Hosts that failed at it and are asked again by themselves.</summary>
    static IEnumerable<HostPause> Resting(StageStatus stage) =>
        stage.Pauses.Where(p => p.Remaining > TimeSpan.Zero && p.Remaining < TimeSpan.MaxValue);

    static StageWait Soon(StageStatus stage) => new(
        WaitKind.HandedOut,
        stage.RowsReady > 0
            ? $"{Rows(stage.RowsReady)} are being handed out."
            : "It looks again which of its rows can be handed out: that takes some seconds.");

    static string Rows(int count) => count == 1 ? "1 row" : $"{count} rows";

    static string Name(string key, WaitFacts facts) => facts.Names.GetValueOrDefault(key, "another stage");
}
