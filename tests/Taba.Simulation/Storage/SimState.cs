using Orleans.Core;
using Taba.Simulation.Cluster;

namespace Taba.Simulation.Storage;

/// <summary>The state of one activation.</summary>
abstract class SimState
{
    public abstract Task ReadStateAsync();

    public static SimState Of(Type type, SimSilo silo, string key) =>
        (SimState)Activator.CreateInstance(typeof(SimState<>).MakeGenericType(type), silo, key)!;
}

/// <inheritdoc/>
sealed class SimState<T>(SimSilo silo, string key) : SimState, IPersistentState<T>
{
    public T State { get; set; } = Activator.CreateInstance<T>();

    public string? Etag { get; private set; }

    public bool RecordExists { get; private set; }

    StateTable Table => silo.Cluster.States;

    public override async Task ReadStateAsync()
    {
        await TravelAsync();
        Fail("read");
        var row = Table.Find(key);
        (Etag, RecordExists) = (row?.ETag, row is not null);
        State = row is null ? Activator.CreateInstance<T>() : Wire.Serializer.Deserialize<T>(row.Bytes)!;
        await TravelAsync();
    }

    public async Task WriteStateAsync()
    {
        var bytes = Wire.Serializer.SerializeToArray(State);
        await TravelAsync();
        Fail("write");
        var row = Table.Write(key, bytes, Etag);
        await TravelAsync();
        // The answer is lost: it is written, and nobody knows.
        Fail("write");
        (Etag, RecordExists) = (row.ETag, true);
    }

    public async Task ClearStateAsync()
    {
        await TravelAsync();
        Fail("clear");
        Table.Delete(key, Etag);
        await TravelAsync();
        (Etag, RecordExists, State) = (null, false, Activator.CreateInstance<T>());
    }

    Task TravelAsync() => Task.Delay(silo.World.Random.Seconds(0.0005, 0.003), silo.Time);

    void Fail(string what)
    {
        if (Table.Failures > 0 && silo.World.Random.Chance(Table.Failures))
            throw new TimeoutException($"the database did not answer the {what} of {key}");
    }
}
