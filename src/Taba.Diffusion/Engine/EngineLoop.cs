using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using Taba.Diffusion.Models;
using TorchSharp;

namespace Taba.Diffusion.Engine;

/// <summary>The engine's thread: takes commands, lets trajectories in, takes turns, and ends.</summary>
[SuppressMessage("Design", "CA1001", Justification = "The thread itself disposes what it made, at its end.")]
sealed class EngineLoop
{
    /// <summary>Openings that come one by one are further apart than this only when there are no more of them.</summary>
    static readonly TimeSpan s_quiet = TimeSpan.FromMilliseconds(1);

    readonly Func<IDenoiser> _makeModel;
    readonly bool _ownsModel;
    readonly EngineTelemetry _telemetry;
    readonly SlotTable _slots = new();
    readonly SwapPrefetch _prefetch;
    readonly OutputPump _output;
    readonly Outcomes _outcomes;
    readonly List<TaskCompletionSource> _drains = [];
    readonly TaskCompletionSource<DenoiserFacts> _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly CancellationTokenSource _stop = new();
    List<EngineCommand> _commands = [];
    TurnExecutor? _executor;
    volatile PassRunner? _passes;
    volatile EngineOptions _options;
    bool _stopping;

    public EngineLoop(Func<IDenoiser> makeModel, bool ownsModel, EngineOptions options, EngineTelemetry telemetry)
    {
        _makeModel = makeModel;
        _ownsModel = ownsModel;
        _options = options;
        _telemetry = telemetry;
        _prefetch = new SwapPrefetch(Mailbox);
        _output = new OutputPump($"taba-output {options.Name}", options.OutputCapacity, ObserverFailed);
        _outcomes = new Outcomes(options, telemetry, _slots, _prefetch, _output);
        // Not in the flow of whoever needs it first: the engine outlives that part, and its span.
        new Thread(Run) { IsBackground = true, Name = $"taba-engine {options.Name}" }.UnsafeStart();
    }

    public Mailbox<EngineCommand> Mailbox { get; } = new();

    /// <inheritdoc cref="Outcomes.Live"/>
    public System.Collections.Concurrent.ConcurrentDictionary<long, Trajectory> Live => _outcomes.Live;

    /// <summary>With the batch that was chosen, when the model is there.</summary>
    public EngineOptions Options => _options;

    public int OutputQueue => _output.Count;

    /// <inheritdoc cref="PassRunner.UnderWay"/>
    public EnginePass? PassUnderWay => _passes?.UnderWay;

    /// <summary>Ends the loop after the turn under way.</summary>
    public void Stop()
    {
        Mailbox.Post(new EngineCommand(CommandKind.Stop));
        _stop.Cancel();
    }

    /// <summary>Completes when the model is there.</summary>
    public Task<DenoiserFacts> Ready => _ready.Task;

    /// <summary>Completes when both threads have ended; fails when the engine could not go on.</summary>
    public Task Ended => _ended.Task;

    void Run()
    {
        IDenoiser? model = null;
        Exception? fault = null;
        try
        {
            model = _makeModel();
            var facts = DenoiserFacts.Of(model);
            var device = new DeviceTurn(_options.Turns, _stop.Token);
            var options = _options = Settle(model, device);
            var planner = new BatchPlanner(options);
            _slots.Provide(options.SlotCount);
            _outcomes.Executor = _executor = new TurnExecutor(model, options);
            _output.RowBytes = _executor.RowBytes;
            _telemetry.Started(options, options.DeviceName ?? model.Device.ToString(), planner.Limit);
            var admission = new Admission(facts, _executor, planner, _slots, _prefetch, _outcomes, _telemetry);
            var passes = _passes = new PassRunner(_executor, device, _outcomes, _telemetry);
            var faults = new FaultIsolation(passes, planner, _outcomes, _telemetry, options);
            var turn = new Turn(planner, _slots, passes, faults, _outcomes, _telemetry, options);
            _ready.SetResult(facts);
            using (torch.inference_mode())
                Loop(admission, turn, device);
        }
        catch (Exception error)
        {
            fault = DeviceFaults.IsSticky(error) ? new DeviceBrokenException(_options.Name, error) : error;
            _telemetry.Tell(new EngineFaulted(_options.Name, fault));
        }
        End(model, fault);
    }

    /// <summary>Chooses the batch while nothing else computes on the device.</summary>
    EngineOptions Settle(IDenoiser model, DeviceTurn device)
    {
        device.Enter();
        try
        {
            return _options.For(model);
        }
        finally
        {
            device.Leave();
        }
    }

    void Loop(Admission admission, Turn turn, DeviceTurn device)
    {
        var idle = true;
        while (true)
        {
            var commands = TakeCommands(admission, idle ? Timeout.InfiniteTimeSpan : TimeSpan.Zero);
            Linger(admission, turn, arriving: commands > 0);
            if (_stopping || !TakeDevice(admission, device))
                return;
            try
            {
                idle = !turn.Run();
            }
            finally
            {
                device.Leave();
            }
            if (idle && _drains.Count > 0)
                CompleteDrains();
        }
    }

    /// <summary>Waits for the device where there is something to do on it; what comes meanwhile goes with this turn.</summary>
    /// <returns>False when the engine is to end.</returns>
    bool TakeDevice(Admission admission, DeviceTurn device)
    {
        if (_options.Turns is null || _slots.Active.Count == 0)
            return true;
        _telemetry.IdleBegins();
        var has = device.Enter();
        _telemetry.IdleEnds();
        if (has)
            TakeCommands(admission, TimeSpan.Zero);
        return has && !_stopping;
    }

    /// <summary>Takes and handles what has come, and admits whom it can.</summary>
    /// <returns>How many commands that were.</returns>
    int TakeCommands(Admission admission, TimeSpan wait)
    {
        if (wait == Timeout.InfiniteTimeSpan)
            _telemetry.IdleBegins();
        _commands = Mailbox.Take(_commands, wait);
        if (wait == Timeout.InfiniteTimeSpan)
            _telemetry.IdleEnds();
        foreach (var command in _commands)
            Handle(command, admission);
        var count = _commands.Count;
        _commands.Clear();
        if (!_stopping)
            admission.Admit();
        return count;
    }

    /// <summary>
    /// A forward pass of one row costs a GPU as much as a full one, and a pinned shape costs the same everywhere. So a pass
    /// that is short of rows waits a little, as long as rows are still arriving or answers to the last turn are due.
    /// </summary>
    void Linger(Admission admission, Turn turn, bool arriving)
    {
        if (!turn.IsShort)
            return;
        var started = Stopwatch.GetTimestamp();
        while (!_stopping && (_outcomes.AnswersDue > 0 || (arriving && _slots.HasFree)) && turn.IsShort)
        {
            var left = turn.Linger - Stopwatch.GetElapsedTime(started);
            if (left <= TimeSpan.Zero)
                break;
            arriving = TakeCommands(admission, _outcomes.AnswersDue > 0 || left < s_quiet ? left : s_quiet) > 0;
        }
        Interlocked.Add(ref _telemetry.Counters.LingerTicks, Stopwatch.GetTimestamp() - started);
        _outcomes.ExpectNoMoreAnswers();
    }

    void Handle(in EngineCommand command, Admission admission)
    {
        if (command.Trajectory is { Ended: true } && command.Kind != CommandKind.ObserverFailed)
            return;
        switch (command.Kind)
        {
            case CommandKind.Run:
                admission.RunSegment(command.Trajectory!, command.SegmentEnd);
                break;
            case CommandKind.Close:
                _outcomes.Forget(command.Trajectory!);
                break;
            case CommandKind.SwapRow:
                admission.TakeSwapRow(command.Trajectory!, command.Row);
                break;
            case CommandKind.Fail:
                _outcomes.Fail(command.Trajectory!, command.Step, command.Error!);
                break;
            case CommandKind.ObserverFailed:
                _telemetry.Failed(command.Trajectory!, command.Step, command.Error!);
                if (!command.Trajectory!.Ended)
                    _outcomes.Forget(command.Trajectory);
                break;
            case CommandKind.Drain:
                _drains.Add(command.Done!);
                admission.Drain();
                break;
            case CommandKind.Stop:
                _stopping = true;
                break;
        }
    }

    void CompleteDrains()
    {
        foreach (var trajectory in _slots.Active)
        {
            if (trajectory.InSegment)
                return;
        }
        foreach (var drain in _drains)
            _outcomes.Post(new OutputBatch { Delivered = drain });
        _drains.Clear();
    }

    /// <summary>Called on the output thread.</summary>
    void ObserverFailed(Trajectory trajectory, int step, Exception error) =>
        Mailbox.Post(new EngineCommand(CommandKind.ObserverFailed) { Trajectory = trajectory, Step = step, Error = error });

    /// <summary>Fails what is left, waits until all is delivered and frees the device.</summary>
    void End(IDenoiser? model, Exception? fault)
    {
        foreach (var command in Mailbox.Close())
        {
            if (command.Done is { } drain)
                _drains.Add(drain);
        }
        var error = fault is null
            ? new EngineStoppedException($"Engine '{_options.Name}' was stopped before the trajectory ended.")
            : new EngineStoppedException($"Engine '{_options.Name}' cannot go on: {fault.Message}", fault);
        _outcomes.FailAll(Live.Values, _ => error);
        _output.Complete();
        try
        {
            _executor?.Dispose();
            if (_ownsModel)
                model?.Dispose();
        }
        catch (Exception disposal) when (fault is DeviceBrokenException)
        {
            // Nothing can be freed on a broken device; that it is broken has been told.
            _ = disposal;
        }
        catch (Exception disposal)
        {
            _telemetry.Tell(new EngineFaulted(_options.Name, disposal));
        }
        _output.Ended.Wait();
        _telemetry.Ended();
        foreach (var drain in _drains)
            drain.TrySetResult();
        if (fault is null)
        {
            _ended.SetResult();
            return;
        }
        _ready.TrySetException(error);
        _ended.SetException(error);
        // Whoever waits gets the error; that nobody waits is no second one.
        _ = _ready.Task.Exception;
        _ = _ended.Task.Exception;
    }
}
