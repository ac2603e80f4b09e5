using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using Taba.Diffusion.Models;
using Taba.Diffusion.Native;
using TorchSharp;

namespace Taba.Diffusion.Engine;

/// <summary>The engine's thread: takes commands, admits trajectories to slots, runs turns, hands results to the output thread.</summary>
[SuppressMessage("Design", "CA1001", Justification = "The thread itself disposes what it made, at its end.")]
sealed partial class EngineLoop
{
    /// <summary>Openings that come one by one are further apart than this only when there are no more of them.</summary>
    static readonly TimeSpan s_quiet = TimeSpan.FromMilliseconds(1);

    readonly Func<IDenoiser> _makeModel;
    readonly bool _ownsModel;
    readonly EngineOptions _options;
    readonly SlotTable _slots;
    readonly BatchPlanner _planner;
    readonly SwapPrefetch _prefetch;
    readonly OutputPump _output;
    readonly EngineTelemetry _telemetry;
    readonly Queue<Trajectory> _waiting = new();
    readonly List<Trajectory> _network = [];
    readonly List<Trajectory> _swappedEps = [];
    readonly List<Trajectory> _swappedXt = [];
    readonly List<TaskCompletionSource> _drains = [];
    readonly TaskCompletionSource<ModelFacts> _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    List<EngineCommand> _commands = [];
    ModelFacts? _model;
    TurnExecutor? _executor;
    volatile EnginePass? _pass;
    TimeSpan _linger;
    int _answersDue;
    bool _draining;
    bool _stopping;

    public EngineLoop(Func<IDenoiser> makeModel, bool ownsModel, EngineOptions options, EngineTelemetry telemetry)
    {
        _makeModel = makeModel;
        _ownsModel = ownsModel;
        _options = options;
        _telemetry = telemetry;
        _linger = options.Linger;
        _slots = new SlotTable(options.SlotCount);
        _planner = new BatchPlanner(options);
        _prefetch = new SwapPrefetch(Mailbox);
        _telemetry.Counters.BatchLimit = _planner.Limit;
        _output = new OutputPump($"taba-output {options.Name}", options.OutputCapacity, ObserverFailed);
        TorchRuntime.Settle();
        new Thread(Run) { IsBackground = true, Name = $"taba-engine {options.Name}" }.Start();
    }

    public Mailbox<EngineCommand> Mailbox { get; } = new();

    /// <summary>Opened and not ended; callers add, the engine's thread removes.</summary>
    public ConcurrentDictionary<long, Trajectory> Live { get; } = new();

    public int OutputQueue => _output.Count;

    /// <summary>The pass that the engine's thread is in; null between passes.</summary>
    public EnginePass? PassUnderWay => _pass;

    /// <summary>Completes when the model is there.</summary>
    public Task<ModelFacts> Ready => _ready.Task;

    /// <summary>Completes when both threads have ended; fails when the engine could not go on.</summary>
    public Task Ended => _ended.Task;

    void Run()
    {
        IDenoiser? model = null;
        Exception? fault = null;
        try
        {
            model = _makeModel();
            _model = ModelFacts.Of(model);
            _executor = new TurnExecutor(model, _options);
            _output.RowBytes = _executor.RowBytes;
            _telemetry.SetDevice(model.Device.ToString());
            _ready.SetResult(_model);
            using (torch.inference_mode())
                Loop();
        }
        catch (Exception error)
        {
            fault = DeviceFaults.IsSticky(error) ? new DeviceBrokenException(_options.Name, error) : error;
            _telemetry.Tell(new EngineFaulted(_options.Name, fault));
        }
        End(model, fault);
    }

    void Loop()
    {
        var idle = true;
        while (true)
        {
            var commands = TakeCommands(idle ? Timeout.InfiniteTimeSpan : TimeSpan.Zero);
            Linger(arriving: commands > 0);
            if (_stopping)
                return;
            idle = !Turn();
            if (idle && _drains.Count > 0)
                CompleteDrains();
        }
    }

    /// <summary>Takes and handles what has come, and admits whom it can.</summary>
    /// <returns>How many commands that were.</returns>
    int TakeCommands(TimeSpan wait)
    {
        _commands = Mailbox.Take(_commands, wait);
        foreach (var command in _commands)
            Handle(command);
        var count = _commands.Count;
        _commands.Clear();
        if (!_stopping)
            Admit();
        return count;
    }

    /// <summary>
    /// A forward pass of one row costs a GPU as much as a full one, and a pinned shape costs the same everywhere. So a pass
    /// that is short of rows waits a little, as long as rows are still arriving or answers to the last turn are due.
    /// </summary>
    void Linger(bool arriving)
    {
        if (!_planner.IsShort(_slots.Active))
            return;
        var started = Stopwatch.GetTimestamp();
        while (!_stopping && (_answersDue > 0 || (arriving && _slots.HasFree)) && _planner.IsShort(_slots.Active))
        {
            var left = _linger - Stopwatch.GetElapsedTime(started);
            if (left <= TimeSpan.Zero)
                break;
            arriving = TakeCommands(_answersDue > 0 || left < s_quiet ? left : s_quiet) > 0;
        }
        Interlocked.Add(ref _telemetry.Counters.LingerTicks, Stopwatch.GetTimestamp() - started);
        // Those who have not answered by now are not waited for a second time.
        if (_answersDue == 0)
            return;
        foreach (var trajectory in _slots.Active)
            trajectory.AnswerDue = false;
        _answersDue = 0;
    }

    void Handle(in EngineCommand command)
    {
        if (command.Trajectory is { Ended: true } && command.Kind != CommandKind.ObserverFailed)
            return;
        switch (command.Kind)
        {
            case CommandKind.Run:
                RunSegment(command.Trajectory!, command.SegmentEnd);
                break;
            case CommandKind.Close:
                Forget(command.Trajectory!);
                break;
            case CommandKind.SwapRow:
                TakeSwapRow(command.Trajectory!, command.Row);
                break;
            case CommandKind.Fail:
                Fail(command.Trajectory!, command.Step, command.Error!);
                break;
            case CommandKind.ObserverFailed:
                _telemetry.Failed(command.Trajectory!, command.Step, command.Error!);
                if (!command.Trajectory!.Ended)
                    Forget(command.Trajectory);
                break;
            case CommandKind.Drain:
                _draining = true;
                _drains.Add(command.Done!);
                // A segment may be long, and whoever drains has little time: its next step is as good an end as any.
                foreach (var trajectory in _slots.Active)
                    trajectory.CutSegments();
                while (_waiting.TryDequeue(out var trajectory))
                    FailAsStopped(trajectory);
                break;
            case CommandKind.Stop:
                _stopping = true;
                break;
        }
    }

    void RunSegment(Trajectory trajectory, int end)
    {
        if (_draining)
        {
            FailAsStopped(trajectory);
            return;
        }
        Answered(trajectory);
        trajectory.AddSegment(end);
        if (!trajectory.Admitted && !trajectory.Waiting)
        {
            trajectory.Waiting = true;
            _waiting.Enqueue(trajectory);
        }
    }

    void TakeSwapRow(Trajectory trajectory, ReadOnlyMemory<byte> row)
    {
        trajectory.Fetching = false;
        var step = trajectory.FetchStep - 1;
        try
        {
            RequestChecks.CheckRow($"The swap row of step {step}", row, _model!.Shape);
        }
        catch (ArgumentException error)
        {
            Fail(trajectory, step, error);
            return;
        }
        trajectory.SwapRows.Enqueue(row);
        _prefetch.Continue(trajectory);
    }

    void Admit()
    {
        while (_slots.HasFree && _waiting.TryDequeue(out var trajectory))
        {
            if (trajectory.Ended)
                continue;
            try
            {
                RequestChecks.Check(trajectory, _model!, _planner.Limit);
                _slots.Occupy(trajectory);
                _telemetry.Admitted();
                _executor!.Upload(trajectory);
                trajectory.DropInitialRows();
                _prefetch.Continue(trajectory);
            }
            catch (Exception error) when (!DeviceFaults.IsSticky(error))
            {
                Fail(trajectory, trajectory.NextStep, error);
            }
        }
    }

    /// <summary>One turn: every ready swap row, and one forward pass.</summary>
    /// <returns>False when nothing was ready.</returns>
    bool Turn()
    {
        var started = Stopwatch.GetTimestamp();
        _planner.Pick(_slots.Active, _network, _swappedEps, _swappedXt);
        if (_network.Count + _swappedEps.Count + _swappedXt.Count == 0)
            return false;

        var times = new TurnTimes();
        Swap(_swappedEps, Pass.SwapEps, ref times);
        Swap(_swappedXt, Pass.SwapXt, ref times);
        Resolve(_network);
        if (_network.Count > 0 && Execute(_network, Pass.Network, _planner.Bucket(BatchPlanner.RowsOf(_network)), ref times))
        {
            var share = Stopwatch.GetElapsedTime(0, times.Network).TotalSeconds * _options.LingerShare;
            _linger = TimeSpan.FromSeconds(Math.Min(share, _options.Linger.TotalSeconds));
        }
        times.Total = Stopwatch.GetTimestamp() - started;
        _telemetry.Turned(times);
        return true;
    }

    void Swap(List<Trajectory> rows, Pass pass, ref TurnTimes times)
    {
        Resolve(rows);
        // As many at a time as a forward pass may have: what a turn holds in tensors does not grow with the slots.
        for (var start = 0; start < rows.Count; start += _options.LargestBatch)
        {
            var chunk = rows.GetRange(start, Math.Min(_options.LargestBatch, rows.Count - start));
            Execute(chunk, pass, chunk.Count, ref times);
        }
    }

    /// <summary>Fails and removes those whose schedule or caller cannot say what the step is.</summary>
    void Resolve(List<Trajectory> rows)
    {
        for (var i = rows.Count - 1; i >= 0; i--)
        {
            try
            {
                rows[i].Resolve();
            }
            catch (Exception error)
            {
                Fail(rows[i], rows[i].NextStep, error);
                rows.RemoveAt(i);
            }
        }
    }

    /// <summary>Moves <paramref name="rows"/> by one step, or, when that throws, decides what becomes of them.</summary>
    bool Execute(List<Trajectory> rows, Pass pass, int shape, ref TurnTimes times)
    {
        if (TryExecute(rows, pass, shape, ref times) is not { } error)
            return true;
        PassFailed(rows, pass, shape, error, ref times);
        return false;
    }

    /// <summary>Moves <paramref name="rows"/> by one step.</summary>
    /// <returns>What was thrown; the rows are then where they were. Null when nothing was.</returns>
    Exception? TryExecute(List<Trajectory> rows, Pass pass, int shape, ref TurnTimes times)
    {
        var output = new OutputBatch();
        _pass = new EnginePass(Stopwatch.GetTimestamp(), shape, rows[0].NextStep, rows[0].Tag);
        try
        {
            _executor!.Execute(pass, rows, shape, output);
            times.Network += _executor.NetworkTicks;
        }
        catch (Exception error)
        {
            output.DisposeTensors();
            return error;
        }
        finally
        {
            _pass = null;
        }
        _telemetry.Passed(pass, pass == Pass.Network ? BatchPlanner.RowsOf(rows) : rows.Count, shape, _executor.NetworkTicks);
        for (var i = 0; i < rows.Count; i++)
            Settle(rows[i], i, pass, output);
        times.OutputWait += Post(output);
        return null;
    }

    void CompleteDrains()
    {
        foreach (var trajectory in _slots.Active)
        {
            if (trajectory.InSegment)
                return;
        }
        foreach (var drain in _drains)
            Post(new OutputBatch { Delivered = drain });
        _drains.Clear();
    }
}
