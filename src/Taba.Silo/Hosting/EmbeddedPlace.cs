using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Taba.Grains.Silos;
using Taba.Silo.Checkpoints;
using Taba.Silo.Storage;

namespace Taba.Silo.Hosting;

/// <summary>Everything in one folder that this process owns.</summary>
sealed class EmbeddedPlace(string storeRoot) : ISiloPlace
{
    public SiloRole Role => SiloRole.Worker;

    public bool GoesOnAfterFaults => false;

    public string LocalRoot => storeRoot;

    public string? DigestCache => null;

    public ITensorStore OpenStore(IServiceProvider services) => new FolderTensorStore(storeRoot);

    public SegmentCheckpointStore OpenCheckpoints(IServiceProvider services) =>
        new(storeRoot, services.GetRequiredService<IOptions<CheckpointOptions>>().Value);
}
