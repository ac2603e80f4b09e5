using System.ComponentModel.DataAnnotations;
using Taba.Diffusion.Models;

namespace Taba.Diffusion.Engine;

/// <summary>
/// Runs many trajectories at once through one model on one device. Callers open trajectories and ask for segments of them;
/// a thread of the engine's own batches whatever is ready, each row at its own step, direction and schedule. No method
/// waits for the device: results arrive at the <see cref="ITrajectoryObserver"/>. Every method may be called from any thread,
/// an observer's callback included, except that a callback must not wait for <see cref="DisposeAsync"/> or <see cref="DrainAsync"/>.
/// </summary>
public sealed class DenoisingEngine : IAsyncDisposable
{
    readonly EngineOptions _options;
    readonly EngineTelemetry _telemetry;
    readonly EngineLoop _loop;
    long _lastIndex;
    volatile bool _draining;

    /// <summary>An engine for a model that exists; the caller disposes the model, after the engine.</summary>
    /// <exception cref="ValidationException">An option is outside its range.</exception>
    public DenoisingEngine(IDenoiser model, EngineOptions options)
        : this(() => model, ownsModel: false, options)
    {
        ArgumentNullException.ThrowIfNull(model);
    }

    /// <summary>An engine that makes its model on its own thread, and disposes it there.</summary>
    /// <exception cref="ValidationException">An option is outside its range.</exception>
    public DenoisingEngine(Func<IDenoiser> modelFactory, EngineOptions options)
        : this(modelFactory, ownsModel: true, options)
    {
    }

    DenoisingEngine(Func<IDenoiser> makeModel, bool ownsModel, EngineOptions options)
    {
        ArgumentNullException.ThrowIfNull(makeModel);
        ArgumentNullException.ThrowIfNull(options);
        Validator.ValidateObject(options, new ValidationContext(options), validateAllProperties: true);
        _options = options;
        _telemetry = new EngineTelemetry(options);
        _loop = new EngineLoop(makeModel, ownsModel, options, _telemetry);
        Ready = _loop.Ready;
    }

    /// <summary>Part of every handle: a handle of an earlier engine does not fit this one.</summary>
    public Guid Incarnation { get; } = Guid.NewGuid();

    /// <summary>
    /// Completes when the model is made; fails with <see cref="EngineStoppedException"/> when that is not possible. Opening
    /// need not wait for it.
    /// </summary>
    public Task Ready { get; }

    /// <summary>Completes when the engine has stopped; fails when it broke.</summary>
    public Task Completion => _loop.Ended;

    /// <summary>Rows of the state tensor: trajectories that can be under way at once.</summary>
    public int Slots => _loop.Options.SlotCount;

    /// <summary>The most rows of one forward pass while memory suffices; pinned shapes do not count.</summary>
    public int BatchSize => _loop.Options.BatchSize;

    /// <summary>The pass that the engine is in; null between passes. A pass that does not end is how a hung device shows.</summary>
    public EnginePass? PassUnderWay => _loop.PassUnderWay;

    /// <summary>Counters and queue lengths of this moment.</summary>
    public EngineStatistics Statistics => _telemetry.Counters.Snapshot(Slots, _loop.OutputQueue);

    /// <summary>
    /// Announces a trajectory. It takes a slot when its first segment is asked for and one is free, in the order of asking; a
    /// row that does not fit the model is told to the observer then.
    /// </summary>
    /// <exception cref="ArgumentException">The request contradicts itself or its schedule.</exception>
    /// <exception cref="EngineOverloadedException"><see cref="EngineOptions.MaxPending"/> trajectories wait for a slot.</exception>
    /// <exception cref="EngineStoppedException">The engine is draining, stopped or broken.</exception>
    public SlotHandle Open(TrajectoryRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        RequestChecks.Check(request);
        ThrowIfStopped();
        var trajectory = new Trajectory(Interlocked.Increment(ref _lastIndex), request);
        if (!_telemetry.TryOpen(_options.MaxPending))
            throw new EngineOverloadedException(_options.Name, _options.MaxPending);
        _loop.Live[trajectory.Index] = trajectory;
        // The engine may have ended between the check and the entry: then nobody else would tell the caller.
        if (_loop.Mailbox.IsClosed && _loop.Live.TryRemove(trajectory.Index, out _))
            throw Stopped();
        return new SlotHandle(Incarnation, trajectory.Index);
    }

    /// <summary>
    /// Asks for the next <paramref name="steps"/> steps of a trajectory. Segments asked for in advance follow each other
    /// without a pause.
    /// </summary>
    /// <exception cref="ObjectDisposedException">Another engine's handle, or the trajectory completed, failed or was closed.</exception>
    /// <exception cref="ArgumentException">The handle was never given out.</exception>
    /// <exception cref="ArgumentOutOfRangeException">Fewer than 1 or more steps than are left.</exception>
    /// <exception cref="EngineStoppedException">The engine is draining, stopped or broken.</exception>
    public void RunSegment(SlotHandle handle, int steps)
    {
        ThrowIfForeign(handle);
        ThrowIfStopped();
        if (!_loop.Live.TryGetValue(handle.Index, out var trajectory) || trajectory.Abandoned)
        {
            throw new ObjectDisposedException(
                $"trajectory {handle.Index}",
                $"Trajectory {handle.Index} of engine '{_options.Name}' completed, failed or was closed; open it again from its last "
                + "state.");
        }
        var segment = new EngineCommand(CommandKind.Run) { Trajectory = trajectory, SegmentEnd = trajectory.Claim(steps) };
        if (!_loop.Mailbox.Post(segment))
            throw Stopped();
    }

    /// <summary>
    /// Abandons a trajectory: apart from a call that is under way, its observer hears nothing more. No effect on one that has
    /// ended.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The handle is another engine's.</exception>
    /// <exception cref="ArgumentException">The handle was never given out.</exception>
    public void Close(SlotHandle handle)
    {
        ThrowIfForeign(handle);
        if (!_loop.Live.TryGetValue(handle.Index, out var trajectory))
            return;
        trajectory.Abandoned = true;
        _loop.Mailbox.Post(new EngineCommand(CommandKind.Close) { Trajectory = trajectory });
    }

    /// <summary>
    /// Takes no more work and ends the segment of each trajectory that has a slot with its next step; those that wait fail with
    /// <see cref="EngineStoppedException"/>. Completes when all of that was delivered.
    /// </summary>
    public Task DrainAsync()
    {
        _draining = true;
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return _loop.Mailbox.Post(new EngineCommand(CommandKind.Drain) { Done = done })
            ? done.Task
            : Completion.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
    }

    /// <summary>
    /// Stops after the turn under way. What has not ended fails with <see cref="EngineStoppedException"/>; everything is
    /// delivered and all tensors are freed when this completes.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        _loop.Stop();
        await Completion.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    void ThrowIfForeign(SlotHandle handle)
    {
        if (handle.Incarnation != Incarnation)
        {
            throw new ObjectDisposedException(
                $"engine {handle.Incarnation}",
                $"The handle of trajectory {handle.Index} belongs to an engine that is gone; open the trajectory again from its last "
                + "state.");
        }
        if (handle.Index < 1 || handle.Index > Volatile.Read(ref _lastIndex))
            throw new ArgumentException($"Engine '{_options.Name}' never gave out trajectory {handle.Index}.", nameof(handle));
    }

    void ThrowIfStopped()
    {
        if (_draining || _loop.Mailbox.IsClosed)
            throw Stopped();
    }

    EngineStoppedException Stopped() =>
        _loop.Mailbox.IsClosed
            ? new EngineStoppedException($"Engine '{_options.Name}' has stopped.", Completion.Exception?.InnerException)
            : new EngineStoppedException($"Engine '{_options.Name}' is draining and takes no more work.");
}
