namespace Taba.Simulation.Scheduling;

/// <summary>
/// The turns of one activation, in order; or the thread pool of one process, in any order. The world runs them one by one.
/// </summary>
sealed class SimScheduler(World world, Process process, bool inOrder) : TaskScheduler
{
    readonly List<Task> _tasks = [];
    int _first;

    public Process Process => process;

    public bool IsReady { get; set; }

    public bool IsEmpty => _first == _tasks.Count;

    /// <summary>Runs one task.</summary>
    public void RunOne()
    {
        Task task;
        if (inOrder)
            task = _tasks[_first++];
        else
        {
            var i = _first + world.Random.Below(_tasks.Count - _first);
            task = _tasks[i];
            _tasks[i] = _tasks[_first++];
        }
        if (_first == _tasks.Count)
        {
            _tasks.Clear();
            _first = 0;
        }
        TryExecuteTask(task);
    }

    protected override void QueueTask(Task task)
    {
        world.RequireThread();
        if (process.State == ProcessState.Dead)
            return;
        _tasks.Add(task);
        world.Ready(this);
    }

    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) => false;

    protected override IEnumerable<Task> GetScheduledTasks() => _tasks.Skip(_first);
}
