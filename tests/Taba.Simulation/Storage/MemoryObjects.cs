using Taba.Simulation.Scheduling;

namespace Taba.Simulation.Storage;

/// <summary>The objects of the cluster's store, as they are.</summary>
sealed class MemoryObjects(World world)
{
    readonly SortedSet<string> _names = new(StringComparer.Ordinal);
    readonly Dictionary<string, Stored> _objects = [];

    /// <summary>Of so many calls one fails, before or after what it does.</summary>
    public double Failures { get; set; }

    /// <summary>Of so many calls one takes seconds.</summary>
    public double Stalls { get; set; }

    /// <summary>Told of each object that comes.</summary>
    public event Action<string, byte[]>? Came;

    /// <summary>Told of each object that is about to be deleted.</summary>
    public event Action<string>? Goes;

    public IEnumerable<string> Names => _names;

    public byte[]? Find(string name) => _objects.GetValueOrDefault(name)?.Bytes;

    public long WrittenAt(string name) => _objects[name].At;

    public void Write(string name, byte[] bytes)
    {
        _names.Add(name);
        _objects[name] = new(bytes, world.Now);
        Came?.Invoke(name, bytes);
    }

    /// <summary>Changes an object behind everybody's back.</summary>
    public void Damage(string name, byte[] bytes) => _objects[name] = new(bytes, world.Now);

    public bool Delete(string name)
    {
        if (!_objects.ContainsKey(name))
            return false;
        Goes?.Invoke(name);
        _names.Remove(name);
        return _objects.Remove(name);
    }

    public IReadOnlyList<string> Under(string prefix) => [.. _names.GetViewBetween(prefix, prefix + '\uffff')];

    sealed record Stored(byte[] Bytes, long At);
}
