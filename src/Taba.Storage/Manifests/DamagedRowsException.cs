using Taba.Storage.Objects;

namespace Taba.Storage.Manifests;

/// <summary>
/// Rows that were believed to be published cannot be read: an object is gone or does not have its digest, or no cell names the rows.
/// Whoever catches it has the entry made void (<see cref="TensorStore.VoidAsync"/>) and the rows computed again.
/// </summary>
/// <param name="rows">The rows of the damaged entry, or those that were asked for and are not there.</param>
/// <param name="entry">The manifest whose object is damaged; null when no cell names the rows.</param>
public sealed class DamagedRowsException(string stageKey, RowRange rows, PartManifest? entry, string message) : StoreException(message)
{
    public string StageKey => stageKey;

    public RowRange Rows => rows;

    public PartManifest? Entry => entry;
}
