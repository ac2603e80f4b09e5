using Taba.Grains.Silos;
using Taba.Silo.Checkpoints;
using Taba.Silo.Storage;

namespace Taba.Silo.Hosting;

/// <summary>Where a silo keeps what, and whether it is alone.</summary>
interface ISiloPlace
{
    /// <summary>What this silo does.</summary>
    SiloRole Role { get; }

    /// <summary>A fault of the store is waited out; alone, the silo gives up and its command says so.</summary>
    bool GoesOnAfterFaults { get; }

    /// <summary>A folder of this silo alone: counters, speeds, embeddings.</summary>
    string LocalRoot { get; }

    /// <summary>A file that remembers digests of this machine's models; null where the planner is in this process, and has checked them.</summary>
    string? DigestCache { get; }

    /// <summary>The tensor store.</summary>
    ITensorStore OpenStore(IServiceProvider services);

    /// <summary>Where samples in flight are kept.</summary>
    SegmentCheckpointStore OpenCheckpoints(IServiceProvider services);
}
