using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using Taba.Diffusion.Models;
using TorchSharp;

namespace Taba.Diffusion.Engine;

/// <summary>The engine's thread: takes commands, admits trajectories to slots, runs turns, hands results to the output thread.</summary>
[SuppressMessage("Design", "CA1001", Justification = "The thread itself disposes what it made, at its end.")]
sealed class EngineLoop
{
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
    bool _draining;
    bool _stopping;

    public EngineLoop(Func<IDenoiser> makeModel, bool ownsModel, EngineOptions options, EngineTelemetry telemetry)
    {
        _makeModel = makeModel;
        _ownsModel = ownsModel;
        _options = options;
        _telemetry = telemetry;
        _slots = new SlotTable(options.SlotCount);
        _planner = new BatchPlanner(options);
        _prefetch = new SwapPrefetch(Mailbox);
        _telemetry.Counters.BatchLimit = _planner.Limit;
        _output = new OutputPump($"taba-output {options.Name}", options.OutputCapacity, ObserverFailed);
        new Thread(Run) { IsBackground = true, Name = $"taba-engine {options.Name}" }.Start();
    }

    public Mailbox<EngineCommand> Mailbox { get; } = new();

    /// <summary>Opened and not ended; callers add, the engine's thread removes.</summary>
    public ConcurrentDictionary<long, Trajectory> Live { get; } = new();

    public int OutputQueue => _output.Count;

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
            _model = new ModelFacts(model.Shape, model.ClassCount);
            _executor = new TurnExecutor(model, _options);
            _output.RowBytes = _executor.RowBytes;
            _telemetry.SetDevice(model.Device.ToString());
            _ready.SetResult(_model);
            using (torch.inference_mode())
                Loop();
        }
        catch (Exception error)
        {
            fault = error;
            _telemetry.Tell(new EngineFaulted(_options.Name, error));
        }
        End(model, fault);
    }

    void Loop()
    {
        var idle = true;
        while (true)
        {
            _commands = Mailbox.Take(_commands, wait: idle);
            foreach (var command in _commands)
                Handle(command);
            _commands.Clear();
            if (_stopping)
                return;
            Admit();
            idle = !Turn();
            if (idle && _drains.Count > 0)
                CompleteDrains();
        }
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
                RequestChecks.Check(trajectory, _model!);
                _slots.Occupy(trajectory);
                _telemetry.Admitted();
                _executor!.Upload(trajectory);
                trajectory.DropInitialRows();
                _prefetch.Continue(trajectory);
            }
            catch (Exception error)
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
        if (_network.Count > 0)
        {
            times.Shape = _planner.Bucket(_network.Count);
            if (Execute(_network, Pass.Network, times.Shape, ref times))
                times.Evaluated = _network.Count;
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
            if (Execute(chunk, pass, chunk.Count, ref times))
                times.Swapped += chunk.Count;
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
        var output = new OutputBatch();
        try
        {
            _executor!.Execute(pass, rows, shape, output);
            times.Network += _executor.NetworkTicks;
        }
        catch (Exception error)
        {
            output.DisposeTensors();
            PassFailed(rows, pass, shape, error);
            return false;
        }
        for (var i = 0; i < rows.Count; i++)
            Settle(rows[i], i, pass, output);
        times.OutputWait += Post(output);
        return true;
    }

    /// <summary>Tells what row number <paramref name="row"/> of the pass gave, and moves its trajectory on.</summary>
    void Settle(Trajectory trajectory, int row, Pass pass, OutputBatch output)
    {
        var step = trajectory.NextStep;
        if (!_executor!.Finite[row])
        {
            Fail(trajectory, step, new NonFiniteStateException(step, _options.NetworkPrecision), output);
            return;
        }
        Record(trajectory, row, CaptureKinds.Eps, output);
        Record(trajectory, row, CaptureKinds.PredXstart, output);
        Record(trajectory, row, CaptureKinds.State, output);
        if (pass != Pass.Network)
        {
            trajectory.SwapRows.Dequeue();
            _prefetch.Continue(trajectory);
        }
        if (!trajectory.Advance(evaluated: pass == Pass.Network, out var outcome))
            return;

        output.Items.Add(new OutputItem(trajectory, step) { Outcome = outcome, Place = _executor.Place(CaptureKinds.State, row) });
        if (outcome.Completed)
        {
            _telemetry.Completed();
            Forget(trajectory);
        }
        else if (_draining && trajectory.InSegment)
        {
            FailAsStopped(trajectory, output);
        }
    }

    void Record(Trajectory trajectory, int row, CaptureKinds kind, OutputBatch output)
    {
        if ((trajectory.StepCaptures & kind) != 0)
            output.Items.Add(new OutputItem(trajectory, trajectory.NextStep) { Kind = kind, Place = _executor!.Place(kind, row) });
    }

    /// <summary>A pass threw, and the state is as it was before: for want of memory it is tried again with fewer rows.</summary>
    void PassFailed(List<Trajectory> rows, Pass pass, int shape, Exception error)
    {
        if (DeviceMemory.IsExhausted(error))
        {
            _telemetry.OutOfMemory();
            if (pass == Pass.Network && _planner.LowerLimit(shape))
            {
                _telemetry.LimitLowered(shape, _planner.Limit, error);
                return;
            }
            error = DeviceMemory.Explain(_options, shape, error);
        }
        var output = new OutputBatch();
        foreach (var trajectory in rows)
            Fail(trajectory, trajectory.NextStep, error, output);
        Post(output);
    }

    void FailAsStopped(Trajectory trajectory, OutputBatch? output = null)
    {
        if (!trajectory.Ended)
            Fail(trajectory, trajectory.NextStep, new EngineStoppedException($"Engine '{_options.Name}' is draining and begins no further segment; go on from step {trajectory.NextStep} later."), output);
    }

    /// <summary>Ends a trajectory and tells its observer, with <paramref name="output"/> or at once.</summary>
    void Fail(Trajectory trajectory, int step, Exception error, OutputBatch? output = null)
    {
        _telemetry.Failed(trajectory, step, error);
        Forget(trajectory);
        var item = new OutputItem(trajectory, step) { Error = error };
        if (output is not null)
            output.Items.Add(item);
        else
            Post(new OutputBatch { Items = { item } });
    }

    void Forget(Trajectory trajectory)
    {
        trajectory.Ended = true;
        Live.TryRemove(trajectory.Index, out _);
        _telemetry.Left(trajectory.Admitted);
        if (trajectory.Admitted)
            _slots.Release(trajectory);
        trajectory.DropInitialRows();
        trajectory.SwapRows.Clear();
    }

    /// <returns>Stopwatch ticks that the output thread kept us waiting.</returns>
    long Post(OutputBatch output)
    {
        if (output.Items.Count == 0 && output.Delivered is null)
        {
            output.DisposeTensors();
            return 0;
        }
        var started = Stopwatch.GetTimestamp();
        _output.Post(output);
        return Stopwatch.GetTimestamp() - started;
    }

    /// <summary>Called on the output thread.</summary>
    void ObserverFailed(Trajectory trajectory, int step, Exception error) =>
        Mailbox.Post(new EngineCommand(CommandKind.ObserverFailed) { Trajectory = trajectory, Step = step, Error = error });

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
        var output = new OutputBatch();
        foreach (var trajectory in Live.Values)
            Fail(trajectory, trajectory.NextStep, error, output);
        Post(output);
        _output.Complete();
        try
        {
            _executor?.Dispose();
            if (_ownsModel)
                model?.Dispose();
        }
        catch (Exception disposal)
        {
            _telemetry.Tell(new EngineFaulted(_options.Name, disposal));
        }
        _output.Ended.Wait();
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
