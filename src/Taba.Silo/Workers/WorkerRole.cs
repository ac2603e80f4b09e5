using Taba.Grains.Silos;

namespace Taba.Silo.Workers;

/// <summary>The role of this silo's worker: a coordinator has no device for trajectories.</summary>
sealed record WorkerRole(SiloRole Role)
{
    /// <summary>True when trajectories step here.</summary>
    public bool HasDevice => Role == SiloRole.Worker;
}
