using Microsoft.Extensions.Logging;
using Orleans.Storage;
using Taba.Grains.Sweeps;

namespace Taba.Grains.Actors;

/// <summary>
/// What a sweep means to do, written before anybody is told, and the one loop that tells the index and the stages. An event that comes
/// while the loop is under way changes what it does next; a debt that cannot be paid stays until somebody asks for payment again.
/// </summary>
/// <param name="state">The sweep's state, which nobody else writes.</param>
/// <param name="errands">Tells the others.</param>
/// <param name="journal">Has more to write with whatever is written.</param>
/// <param name="looksEnded">Waits until no look at the stages is under way that began before.</param>
/// <param name="lost">Called when another activation wrote the state.</param>
sealed partial class SweepIntent(
    IPersistentState<SweepGrainState> state, SweepErrands errands, SweepJournal journal, Func<Task> looksEnded, Action lost,
    TimeProvider time, ILogger logger)
{
    /// <summary>A call answers after this time even when others have not heard yet: it is written, and they will.</summary>
    public static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(5);

    // Calls, looks and payments interleave: one of them writes at a time.
    readonly SemaphoreSlim _writing = new(1);
    Task _paying = Task.CompletedTask;
    bool _leaving;

    // Stages that have heard what is meant now. A new intent begins a new set, so that calls under way for an older one add nothing to it.
    HashSet<string> _told = [];

    /// <summary>What is written. It and <see cref="Life"/> change together, when a write has succeeded.</summary>
    public SweepGrainState Written { get; private set; } = new();

    public SweepLife Life { get; private set; }

    /// <summary>Begins with what an earlier activation left.</summary>
    public void Activate()
    {
        Written = state.State;
        journal.Open(Written);
        Life = SweepLife.Of(Written).After(SweepEvent.Activated);
    }

    /// <summary>Lets an event happen.</summary>
    /// <param name="seen">Where the event is an observation or a payment: the life when that began.</param>
    /// <param name="with">What else changes in the state.</param>
    /// <returns>Whether the event meant anything.</returns>
    public async Task<bool> ApplyAsync(SweepEvent what, SweepLife? seen = null, Func<SweepGrainState, SweepGrainState>? with = null)
    {
        await _writing.WaitAsync();
        try
        {
            var (before, next) = (Written, Life.After(what, seen));
            if (next == Life)
                return false;
            var after = with?.Invoke(before) ?? before;
            // Who submits again because no answer came has nothing tried a second time at stages that have heard.
            var goesOn = Life.Owes(SweepDebts.Demands) && next.Owes(SweepDebts.Demands)
                && (before.Plan == after.Plan || before.Plan!.Stages.SequenceEqual(after.Plan!.Stages));
            if (what is SweepEvent.Submitted && !goesOn)
                after = after with { Submission = before.Submission + 1 };
            if (next.IsWorthWriting(Life, before))
                await WriteAsync(next.In(after));
            if (next.Change != Life.Change && !goesOn)
                _told = [];
            Life = next;
            return true;
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <summary>Notes that a stage beyond the plan's is about to get a demand, which somebody must withdraw one day.</summary>
    /// <returns>False when the sweep has ended: it must not get one.</returns>
    public async Task<bool> NoteElsewhereAsync(string stage)
    {
        await _writing.WaitAsync();
        try
        {
            if (Life.IsLive && !Written.Elsewhere.Contains(stage))
                await WriteAsync(Written with { Elsewhere = Written.Elsewhere.Add(stage) });
            return Life.IsLive;
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <summary>Clears what is written of a sweep that has ended and owes nothing.</summary>
    /// <returns>False when something else is meant by now.</returns>
    public async Task<bool> ForgetAsync()
    {
        await _writing.WaitAsync();
        try
        {
            if (!Life.IsOver)
                return false;
            await state.ClearStateAsync();
            (Written, Life, _told) = (new(), default, []);
            journal.Open(Written);
            return true;
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <summary>Pays until nothing is owed or a payment fails.</summary>
    public Task PayAsync()
    {
        if (_paying.IsCompleted)
        {
            _paying = PayAllAsync();
            // It is logged, and whoever asks next begins again.
            _paying.Ignore();
        }
        return _paying;
    }

    /// <summary>Pays, and waits for it as long as a caller can wait.</summary>
    /// <param name="orThrow">Whether the caller wants to know of a failure.</param>
    public async Task PaidAsync(bool orThrow)
    {
        var paying = PayAsync();
        try
        {
            await paying.WaitAsync(AnswerWithin, time);
        }
        catch (Exception) when (!orThrow || !paying.IsCompleted)
        {
            // It goes on, or is begun again.
        }
    }

    /// <summary>The activation ends. What is being told now must not reach a stage behind what the next activation tells it.</summary>
    public async Task LeaveAsync(CancellationToken cancellationToken)
    {
        _leaving = true;
        await _paying.WaitAsync(cancellationToken)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
    }

    async Task PayAllAsync()
    {
        while (!_leaving && Life is { Next: not SweepDebts.None } life)
        {
            try
            {
                await PayNextAsync(life);
            }
            catch (Exception exception) when (exception is not OutOfMemoryException)
            {
                // What failed may not be meant any more.
                if (Life.Change != life.Change)
                    continue;
                LogOwes(logger, Written.Plan!.SweepId, life.Next, exception.Message);
                throw;
            }
        }
    }

    async Task PayNextAsync(SweepLife life)
    {
        switch (life.Next)
        {
            case SweepDebts.Listing:
                await errands.ListAsync(Written, life, time.GetUtcNow());
                await ApplyAsync(SweepEvent.Listed, life);
                break;
            case SweepDebts.Withdrawals:
                // A look that began before the end may be asking a stage that stands in.
                await looksEnded();
                if (await errands.WithdrawAsync(Written, _told, GoOn))
                    await ApplyAsync(SweepEvent.Withdrawn, life);
                break;
            case var demands:
                if (await errands.DemandAsync(Written, keepFailures: demands is SweepDebts.Reminders, _told, GoOn))
                    await ApplyAsync(SweepEvent.Demanded, life);
                break;
        }

        bool GoOn() => !_leaving && Life.Change == life.Change;
    }

    async Task WriteAsync(SweepGrainState next)
    {
        state.State = next = journal.In(next);
        try
        {
            await state.WriteStateAsync();
            Written = next;
            journal.Wrote(succeeded: true);
        }
        catch (Exception exception)
        {
            journal.Wrote(succeeded: false);
            state.State = Written;
            // Or a write that seemed to fail did not. The next activation reads what is there.
            if (exception is InconsistentStateException)
                lost();
            throw;
        }
    }

    [LoggerMessage(2106, LogLevel.Warning, "Sweep {Sweep} could not pass on what it means to do ({Owed}), and tries again: {Reason}")]
    static partial void LogOwes(ILogger logger, string sweep, SweepDebts owed, string reason);
}
