using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization.Invocation;
using Orleans.Storage;
using Taba.Grains.Errors;
using Taba.Grains;
using Taba.Silo.Faults;
using Taba.Simulation.Scheduling;
using Taba.Simulation.Storage;

namespace Taba.Simulation.Cluster;

/// <summary>
/// A grain on a silo, with Orleans' rules of turns: one request at a time until its task is done, but for those that may interleave; no
/// request while it activates; when it deactivates, those that wait go to the next activation.
/// </summary>
sealed class Activation : IGrainContext
{
    enum Phase
    {
        Activating,
        Valid,
        Deactivating,
        Gone,
    }

    static readonly FieldInfo s_current = typeof(Grain).Assembly.GetType("Orleans.Runtime.RuntimeContext")!
        .GetField("_threadLocalContext", BindingFlags.Static | BindingFlags.NonPublic)!;

    readonly List<Request> _waiting = [];
    readonly List<SimGrainTimer> _timers = [];
    readonly List<SimState> _states = [];
    readonly SimScheduler _scheduler;
    readonly GrainKind _kind;
    Phase _phase = Phase.Activating;
    Request? _blocking;
    Grain? _grain;
    int _running;
    long _keptUntil;
    bool _pumps;

    public Activation(SimSilo silo, GrainKind kind, GrainId grain)
    {
        (Silo, _kind, GrainId) = (silo, kind, grain);
        _scheduler = new(silo.World, silo, inOrder: true);
    }

    public SimSilo Silo { get; }

    public GrainKind Kind => _kind;

    public GrainId GrainId { get; }

    /// <summary>Nobody uses it and nothing keeps it: Orleans may collect it.</summary>
    public bool IsIdle => _phase == Phase.Valid && _running == 0 && _waiting.Count == 0 && _timers.Count == 0
        && _keptUntil < Silo.World.Now;

    public void Start() => Enqueue(() => ActivateAsync());

    public void Receive(Request request)
    {
        _waiting.Add(request);
        Pump();
    }

    /// <summary>Ends it when what runs has ended.</summary>
    public void Deactivate(string reason)
    {
        if (_phase is not (Phase.Valid or Phase.Activating))
            return;
        Silo.World.Note("deactivates", Silo, Silo.World.Trace.Records ? $"{GrainId}: {reason}" : "");
        _phase = Phase.Deactivating;
        Pump();
    }

    public void DelayDeactivation(TimeSpan time) => _keptUntil = Math.Max(_keptUntil, Silo.World.Now + time.Ticks);

    public IGrainTimer AddTimer(Func<CancellationToken, Task> callback, GrainTimerCreationOptions options)
    {
        var timer = new SimGrainTimer(Silo, callback, options, Tick, timer => _timers.Remove(timer));
        _timers.Add(timer);
        timer.Change(options.DueTime, options.Period);
        return timer;
    }

    async Task ActivateAsync()
    {
        try
        {
            s_current.SetValue(null, this);
            try
            {
                _grain = _kind.Make(Resolve);
            }
            finally
            {
                s_current.SetValue(null, null);
            }
            foreach (var state in _states)
                await state.ReadStateAsync();
            await _grain.OnActivateAsync(CancellationToken.None);
        }
        catch (Exception exception)
        {
            Silo.World.Note("not activated", Silo, Silo.World.Trace.Records ? $"{GrainId}: {exception.Message}" : "");
            _phase = Phase.Gone;
            Silo.Forget(this);
            foreach (var request in _waiting.Where(r => r.Call is not null))
                Answer(request, exception);
            _waiting.Clear();
            DisposeTimers();
            return;
        }
        if (_phase == Phase.Activating)
            _phase = Phase.Valid;
        Pump();
    }

    /// <summary>What its constructor asks for.</summary>
    object Resolve(ParameterInfo parameter)
    {
        if (parameter.GetCustomAttribute<PersistentStateAttribute>() is { } named)
        {
            var state = SimState.Of(parameter.ParameterType.GetGenericArguments()[0], Silo, $"{named.StateName}/{GrainId}");
            _states.Add(state);
            return state;
        }
        return parameter.ParameterType == typeof(IGrainContext) ? this : Silo.Services.GetRequiredService(parameter.ParameterType);
    }

    void Tick(SimGrainTimer timer)
    {
        if (_phase is Phase.Valid or Phase.Activating)
            Receive(new(null, [], timer));
    }

    void Pump()
    {
        if (_pumps)
            return;
        _pumps = true;
        Enqueue(() =>
        {
            _pumps = false;
            StartWaiting();
            return Task.CompletedTask;
        });
    }

    void Enqueue(Func<Task> action) =>
        Task.Factory.StartNew(action, CancellationToken.None, TaskCreationOptions.DenyChildAttach, _scheduler);

    void StartWaiting()
    {
        if (_phase == Phase.Gone)
            Forward();
        else if (_phase == Phase.Deactivating && _running == 0)
            _ = DeactivateAsync();
        for (var i = 0; _phase == Phase.Valid && i < _waiting.Count;)
        {
            var request = _waiting[i];
            if (!MayStart(request))
            {
                i++;
                continue;
            }
            _waiting.RemoveAt(i);
            if (request.Call is { } call && call.ExpiresAt < Silo.World.Now)
                continue;
            if (!request.AlwaysInterleaves)
                _blocking ??= request;
            _running++;
            _ = RunAsync(request);
        }
    }

    bool MayStart(Request request) => _running == 0 || request.AlwaysInterleaves || _blocking is null || _kind.IsReentrant
        || _kind.IsStatelessWorker || (request.IsReadOnly && _blocking.IsReadOnly);

    async Task RunAsync(Request request)
    {
        try
        {
            if (request.Timer is { } timer)
            {
                await timer.RunAsync();
                return;
            }
            var answer = await request.Call!.Method.InvokeAsync(_grain!, request.Arguments);
            // Copied before the grain goes on and changes it.
            var sent = request.Call.From == Silo ? Wire.Copy(answer) : Wire.Send(answer);
            Silo.Cluster.Answer(Silo, request.Call, p => p.Complete(sent));
        }
        catch (Exception exception)
        {
            if (request.Call is not null)
                Answer(request, exception);
            if (exception is InconsistentStateException)
                Deactivate(exception.Message);
        }
        finally
        {
            _running--;
            if (_blocking == request)
                _blocking = null;
            Pump();
        }
    }

    void Answer(Request request, Exception exception)
    {
        // As the silo's filter does: errors of grains that others call are flat.
        var flat = _kind.IsOfItsSilo || exception is CallException or CallRefusedException or OperationCanceledException
            ? exception
            : CallErrors.Flat(exception);
        var sent = request.Call!.From == Silo ? flat : Wire.Send(flat);
        Silo.World.Note("throws", Silo, Silo.World.Trace.Records ? $"{request.Call}: {exception.GetType().Name}: {exception.Message}" : "");
        Silo.Cluster.Answer(Silo, request.Call, p => p.Fail(sent));
    }

    async Task DeactivateAsync()
    {
        _running++;
        DisposeTimers();
        if (_grain is not null)
        {
            try
            {
                await _grain.OnDeactivateAsync(new(DeactivationReasonCode.ApplicationRequested, ""), CancellationToken.None);
            }
            catch (Exception exception)
            {
                Silo.World.Note("ends badly", Silo, exception.GetType().Name);
            }
        }
        _phase = Phase.Gone;
        Silo.Forget(this);
        Forward();
    }

    /// <summary>Those that wait find the next activation, wherever it will be.</summary>
    void Forward()
    {
        foreach (var request in _waiting)
        {
            if (request.Call is { } call)
                Silo.Cluster.Route(Silo, call);
        }
        _waiting.Clear();
    }

    void DisposeTimers()
    {
        foreach (var timer in _timers.ToList())
            timer.Dispose();
    }

    IServiceProvider IGrainContext.ActivationServices => Silo.Services;

    object? IGrainContext.GrainInstance => _grain;

    GrainReference IGrainContext.GrainReference => throw new NotSupportedException();

    ActivationId IGrainContext.ActivationId => throw new NotSupportedException();

    GrainAddress IGrainContext.Address => throw new NotSupportedException();

    IGrainLifecycle IGrainContext.ObservableLifecycle => throw new NotSupportedException();

    IWorkItemScheduler IGrainContext.Scheduler => throw new NotSupportedException();

    Task IGrainContext.Deactivated => throw new NotSupportedException();

    void IGrainContext.SetComponent<TComponent>(TComponent? value)
        where TComponent : class => throw new NotSupportedException();

    void IGrainContext.ReceiveMessage(object message) => throw new NotSupportedException();

    void IGrainContext.Activate(Dictionary<string, object>? requestContext, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    void IGrainContext.Deactivate(DeactivationReason deactivationReason, CancellationToken cancellationToken) =>
        Deactivate(deactivationReason.Description);

    void IGrainContext.Rehydrate(IRehydrationContext context) => throw new NotSupportedException();

    void IGrainContext.Migrate(Dictionary<string, object>? requestContext, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    object? ITargetHolder.GetTarget() => _grain;

    object? ITargetHolder.GetComponent(Type componentType) => null;

    bool IEquatable<IGrainContext>.Equals(IGrainContext? other) => ReferenceEquals(this, other);
}

/// <summary>A call that arrived, or the tick of a timer.</summary>
sealed class Request(Call? call, object?[] arguments, SimGrainTimer? timer)
{
    public Call? Call => call;

    public object?[] Arguments => arguments;

    public SimGrainTimer? Timer => timer;

    public bool AlwaysInterleaves => timer?.Interleaves ?? call!.Method.AlwaysInterleaves;

    public bool IsReadOnly => call?.Method.IsReadOnly == true;
}
