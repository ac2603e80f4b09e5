using Taba.Grains.Silos;

namespace Taba.Silo.Workers;

/// <summary>What this silo's worker takes: a coordinator has no device for trajectories.</summary>
sealed record WorkerRole(SiloRole Role)
{
    /// <summary>Whether trajectories step here.</summary>
    public bool HasDevice => Role == SiloRole.Worker;
}
