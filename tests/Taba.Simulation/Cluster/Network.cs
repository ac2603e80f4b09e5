using Taba.Simulation.Scheduling;

namespace Taba.Simulation.Cluster;

/// <summary>The links between processes: delay, loss, duplicates, and pairs that do not hear each other for a while.</summary>
sealed class Network(World world)
{
    readonly Dictionary<(Process, Process), List<Action>?> _cut = [];

    /// <summary>Of so many messages one is lost, with its connection.</summary>
    public double Loss { get; set; }

    /// <summary>Of so many messages one takes seconds.</summary>
    public double Stalls { get; set; }

    public TimeSpan Delay { get; set; } = TimeSpan.FromMilliseconds(1);

    /// <summary>Two processes do not hear each other.</summary>
    /// <param name="holds">What is sent meanwhile comes when they do; otherwise it is lost.</param>
    public void Cut(Process a, Process b, bool holds)
    {
        _cut[(a, b)] = holds ? [] : null;
        _cut[(b, a)] = holds ? [] : null;
    }

    public bool IsCut(Process a, Process b) => _cut.ContainsKey((a, b));

    public void Heal()
    {
        var held = _cut.Values.OfType<List<Action>>().SelectMany(h => h).ToList();
        _cut.Clear();
        foreach (var action in held)
            action();
    }

    /// <summary>Brings a message to a process.</summary>
    /// <param name="dead">The other end is dead, and the connection says so.</param>
    public void Send(Process from, Process to, Action arrive, Action? dead, bool mayRepeat = false)
    {
        if (from == to)
        {
            // Within a process nothing is lost; now and then somebody else is quicker.
            if (world.Random.Chance(0.05))
                world.After(world.Random.Seconds(0, 0.001), to, arrive);
            else
                to.Happen(arrive);
            return;
        }
        if (_cut.TryGetValue((from, to), out var held))
        {
            held?.Add(() => Carry(to, arrive, dead));
            return;
        }
        if (Loss > 0 && world.Random.Chance(Loss))
        {
            world.Note("lost", to);
            return;
        }
        Carry(to, arrive, dead);
        if (mayRepeat && Loss > 0 && world.Random.Chance(Loss))
            Carry(to, arrive, dead);
    }

    void Carry(Process to, Action arrive, Action? dead)
    {
        var delay = Delay * (0.2 + world.Random.Unit() * 2);
        if (Stalls > 0 && world.Random.Chance(Stalls))
            delay += world.Random.Seconds(0.1, 6);
        world.After(delay, to, arrive, dead);
    }
}
