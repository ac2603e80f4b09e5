using Taba.Grains.Silos;
using Taba.Storage.Objects;

namespace Taba.Silo.Hosting;

/// <summary>The stores of a silo, its role, and its way with faults of a store.</summary>
interface ISiloPlace
{
    /// <summary>Worker or coordinator.</summary>
    SiloRole Role { get; }

    /// <summary>True when a fault of the store is waited out. A silo that is alone gives up instead, and its command says so.</summary>
    bool GoesOnAfterFaults { get; }

    /// <summary>A folder of this silo alone: counters, speeds, embeddings.</summary>
    string LocalRoot { get; }

    /// <summary>
    /// A file that remembers digests of this machine's models; null where the planner is in this process, and has checked them.
    /// </summary>
    string? DigestCache { get; }

    /// <summary>The place of tensors and checkpoints.</summary>
    IObjectStore OpenObjects();
}
