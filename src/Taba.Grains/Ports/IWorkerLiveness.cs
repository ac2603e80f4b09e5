namespace Taba.Grains.Ports;

/// <summary>Tells whether a worker's silo is still a member: leases of dead workers end at once.</summary>
public interface IWorkerLiveness
{
    bool IsAlive(string worker);

    /// <summary>Another number whenever members changed.</summary>
    long Version { get; }
}
