namespace Taba.Diffusion.Engine;

/// <summary>Which trajectory occupies which row of the state tensor, oldest admission first.</summary>
sealed class SlotTable
{
    readonly PriorityQueue<int, int> _free = new();
    readonly List<Trajectory> _active = [];

    /// <summary>Adds slots, which are free. There are none before.</summary>
    public void Provide(int slots)
    {
        for (var slot = 0; slot < slots; slot++)
            _free.Enqueue(slot, slot);
    }

    public bool HasFree => _free.Count > 0;

    /// <summary>The occupants in the order of admission.</summary>
    public IReadOnlyList<Trajectory> Active => _active;

    /// <summary>Gives the lowest free slot to <paramref name="trajectory"/>.</summary>
    public void Occupy(Trajectory trajectory)
    {
        trajectory.Slot = _free.Dequeue();
        _active.Add(trajectory);
    }

    public void Release(Trajectory trajectory)
    {
        _active.Remove(trajectory);
        _free.Enqueue(trajectory.Slot, trajectory.Slot);
        trajectory.Slot = -1;
    }
}
