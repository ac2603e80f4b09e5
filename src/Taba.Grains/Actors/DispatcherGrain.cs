using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Orleans.Concurrency;
using Taba.Grains.Dispatch;
using Taba.Grains.Errors;
using Taba.Grains.Placement;
using Taba.Grains.Ports;
using Taba.Grains.Stages;
using Taba.Grains.Sweeps;

namespace Taba.Grains.Actors;

/// <summary>
/// Asks stages for parts in the name of workers, in the order of <see cref="DispatchBoard"/>. A worker that finds nothing waits here; a
/// stage that fails or is slow holds up those who were sent to it, once, and nobody else.
/// </summary>
[Reentrant, CoordinatorPlacement]
sealed partial class DispatcherGrain(IWorkerLiveness liveness, TimeProvider time, ILogger<DispatcherGrain> logger)
    : Grain, IDispatcherGrain
{
    /// <summary>A stage answers in milliseconds, or something is wrong.</summary>
    static readonly TimeSpan s_leaseLimit = TimeSpan.FromSeconds(5);

    /// <summary>Pauses end by themselves.</summary>
    static readonly TimeSpan s_lookEvery = TimeSpan.FromSeconds(1);

    /// <summary>What nobody told is found so often: a message may be lost, and the silo of a sweep may die.</summary>
    static readonly TimeSpan s_refreshEvery = TimeSpan.FromSeconds(10);

    readonly DispatchBoard _board = new(time);
    readonly LinkedList<Waiting> _waiting = [];
    readonly Dictionary<string, Waiting> _waitingOf = [];
    readonly Dictionary<string, long> _newest = [];
    readonly VainAsks _inVain = new(time);
    Task _refreshing = Task.CompletedTask;
    bool _knowsSweeps;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        this.RegisterGrainTimer(_ => LookAsync(), new() { DueTime = s_lookEvery, Period = s_lookEvery, KeepAlive = true });
        this.RegisterGrainTimer(_ => RefreshAsync(), new() { DueTime = s_refreshEvery, Period = s_refreshEvery, KeepAlive = true });
        return Task.CompletedTask;
    }

    public async Task<ImmutableArray<PartLease>> AskAsync(WorkAsk ask)
    {
        if (ask.Number < _newest.GetValueOrDefault(ask.Worker))
            return [];
        _newest[ask.Worker] = ask.Number;
        if (_waitingOf.TryGetValue(ask.Worker, out var older))
            older.Choice.TrySetResult(null);
        _inVain.Asks(ask, inVain: false);
        if (!_knowsSweeps)
            await RefreshAsync();
        foreach (var (stage, reason) in _board.Refuse(ask))
            Stage(stage).LeaseAsync(ask.Worker, new LeaseRequest(0, null) { Refusal = reason, Host = ask.Host }).Ignore();
        var asked = time.GetTimestamp();
        while (liveness.IsAlive(ask.Worker) && (_board.Choose(ask) ?? await WaitAsync(ask, asked)) is { } choice)
        {
            if (await LeaseAsync(ask, choice) is { IsEmpty: false } leases)
                return leases;
            // Stages that do not answer took the time.
            if (time.GetElapsedTime(asked) > ask.Patience && ask.Patience > TimeSpan.Zero)
                break;
        }
        return [];
    }

    public Task OfferAsync(StageOffer offer)
    {
        if (_board.Take(offer))
            Serve();
        return Task.CompletedTask;
    }

    public Task SetSweepsAsync(ImmutableArray<SweepEntry> live)
    {
        _knowsSweeps = true;
        _board.Take(live);
        Serve();
        return Task.CompletedTask;
    }

    public ValueTask<DispatchStanding> GetStandingAsync(StandingAsk ask) => new(_board.Standing(
        ask, _newest.ContainsKey, _inVain));

    async Task<ImmutableArray<PartLease>> LeaseAsync(WorkAsk ask, Choice choice)
    {
        var stage = choice.Stage.Offer.Work.Key;
        try
        {
            var request = new LeaseRequest(choice.Rows, choice.FreshRow)
            {
                SweepId = choice.SweepId,
                Held = ask.Held,
                Host = ask.Host,
            };
            var leases = await Stage(stage).LeaseAsync(ask.Worker, request).WaitAsync(s_leaseLimit, time);
            if (leases.IsEmpty)
                _board.FoundNothing(choice, ask);
            else
            {
                _board.Took(choice, leases.Sum(l => l.Rows.Count));
                _inVain.Ended(ask.Worker);
            }
            return leases;
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            var ofStore = CallException.In(exception) is { Kind: CallFault.Store };
            LogStageFailed(logger, stage, _board.Failed(choice, exception.Message, ofStore), exception.Message);
            return [];
        }
    }

    /// <summary>Waits until there is something for the worker, which is then reserved.</summary>
    async Task<Choice?> WaitAsync(WorkAsk ask, long asked)
    {
        var rest = ask.Patience - time.GetElapsedTime(asked);
        if (rest <= TimeSpan.Zero || ask.Number < _newest.GetValueOrDefault(ask.Worker))
            return null;
        _inVain.Asks(ask, inVain: true);
        var place = _waiting.AddLast(_waitingOf[ask.Worker] = new(ask));
        using var served = new CancellationTokenSource();
        EndAsync(place.Value, rest, served.Token).Ignore();
        try
        {
            return await place.Value.Choice.Task;
        }
        finally
        {
            _waiting.Remove(place);
            served.Cancel();
            if (_waitingOf.GetValueOrDefault(ask.Worker) == place.Value)
                _waitingOf.Remove(ask.Worker);
        }
    }

    /// <summary>Ends a wait, in the grain's turn: what it is sent to at the same time is not lost.</summary>
    async Task EndAsync(Waiting waiting, TimeSpan after, CancellationToken served)
    {
        await Task.Delay(after, time, served);
        waiting.Choice.TrySetResult(null);
    }

    /// <summary>Sends workers that wait to what has come, the one that waits longest first.</summary>
    void Serve()
    {
        foreach (var waiting in _waiting)
        {
            if (!waiting.Choice.Task.IsCompleted && _board.Choose(waiting.Ask) is { } choice)
                waiting.Choice.SetResult(choice);
        }
    }

    Task LookAsync()
    {
        Serve();
        return Task.CompletedTask;
    }

    Task RefreshAsync()
    {
        if (_refreshing.IsCompleted)
            _refreshing = RefreshOnceAsync();
        return _refreshing;
    }

    /// <summary>
    /// Reads which sweeps live, and wakes those: a sweep that is awake sees to it that its stages are, and those say what they have.
    /// </summary>
    async Task RefreshOnceAsync()
    {
        // Not within the turn of a caller: grains of one silo that call each other before their first wait have been seen to block.
        await Task.Yield();
        _board.Forget();
        _board.ForgetWorkers(liveness.IsAlive);
        foreach (var gone in _newest.Keys.Where(worker => !liveness.IsAlive(worker)).ToList())
        {
            _newest.Remove(gone);
            _inVain.Ended(gone);
        }
        try
        {
            var live = await GrainFactory.GetGrain<ISweepIndexGrain>(0).GetLiveAsync();
            await SetSweepsAsync(live);
            foreach (var sweep in live)
                GrainFactory.GetGrain<ISweepGrain>(sweep.SweepId).WakeAsync().Ignore();
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            LogIndexFailed(logger, exception.Message);
        }
    }

    IStageGrain Stage(string key) => GrainFactory.GetGrain<IStageGrain>(StageAddress.GrainKey(key));

    [LoggerMessage(2301, LogLevel.Warning, "Stage {Stage} gave no answer to a worker and is asked again in {Pause}: {Reason}")]
    static partial void LogStageFailed(ILogger logger, string stage, TimeSpan pause, string reason);

    [LoggerMessage(2302, LogLevel.Warning, "The list of sweeps could not be read, and is asked for again: {Reason}")]
    static partial void LogIndexFailed(ILogger logger, string reason);

    /// <summary>A worker that waits, and what it is sent to; null when it need not wait any more.</summary>
    sealed class Waiting(WorkAsk ask)
    {
        public WorkAsk Ask { get; } = ask;

        public TaskCompletionSource<Choice?> Choice { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
