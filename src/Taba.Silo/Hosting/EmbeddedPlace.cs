using Taba.Grains.Silos;
using Taba.Storage.Objects;

namespace Taba.Silo.Hosting;

/// <summary>Everything in one folder that this process owns.</summary>
sealed class EmbeddedPlace(string storeRoot) : ISiloPlace
{
    public SiloRole Role => SiloRole.Worker;

    public bool GoesOnAfterFaults => false;

    public string LocalRoot => storeRoot;

    public string? DigestCache => null;

    public IObjectStore OpenObjects() => new FolderObjects(storeRoot);
}
