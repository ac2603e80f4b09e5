namespace Taba.Simulation.Scheduling;

/// <summary>Whether a process runs.</summary>
enum ProcessState
{
    Running,

    /// <summary>Stopped by a signal: nothing of it runs, and what should have happened meanwhile happens when it goes on.</summary>
    Frozen,

    Dead,
}

/// <summary>Something that dies, or stands still, as a whole: a silo, a client.</summary>
class Process
{
    readonly List<Action> _deferred = [];
    readonly List<SimScheduler> _parked = [];

    public Process(World world, string name, TimeSpan clockOffset)
    {
        (World, Name) = (world, name);
        Time = new(this, clockOffset);
        Pool = new(world, this, inOrder: false);
    }

    public World World { get; }

    public string Name { get; }

    public ProcessState State { get; private set; }

    public bool Runs => State == ProcessState.Running;

    public SimTime Time { get; }

    /// <summary>What runs beside the grains. Its tasks run in any order, one at a time.</summary>
    public SimScheduler Pool { get; }

    /// <summary>Calls that wait for their answers.</summary>
    public List<Cluster.Call> Outstanding { get; } = [];

    /// <summary>Runs work as the thread pool would.</summary>
    public Task<T> OffGrain<T>(Func<Task<T>> work) =>
        Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.DenyChildAttach, Pool).Unwrap();

    /// <summary>Runs work as the thread pool would.</summary>
    public Task OffGrain(Func<Task> work) =>
        Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.DenyChildAttach, Pool).Unwrap();

    /// <summary>Something happens to it: at once, when it goes on, or never.</summary>
    public void Happen(Action action)
    {
        if (State == ProcessState.Running)
            action();
        else if (State == ProcessState.Frozen)
            _deferred.Add(action);
    }

    public void Park(SimScheduler scheduler)
    {
        if (State == ProcessState.Frozen)
            _parked.Add(scheduler);
    }

    public void Freeze() => State = ProcessState.Frozen;

    public void Thaw()
    {
        State = ProcessState.Running;
        foreach (var scheduler in _parked)
            World.Ready(scheduler);
        _parked.Clear();
        var deferred = _deferred.ToArray();
        _deferred.Clear();
        foreach (var action in deferred)
            Happen(action);
    }

    public virtual void Die()
    {
        State = ProcessState.Dead;
        _deferred.Clear();
        _parked.Clear();
        Outstanding.Clear();
    }
}
