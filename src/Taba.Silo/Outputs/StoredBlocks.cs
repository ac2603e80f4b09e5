using Taba.Storage.Manifests;
using Taba.Storage.Objects;

namespace Taba.Silo.Outputs;

/// <summary>What a stage has measured, block after block.</summary>
static class StoredBlocks
{
    /// <summary>Reads all blocks in the order of their rows.</summary>
    /// <param name="take">Is given each of them.</param>
    /// <returns>False when one is missing, as where rows of it failed; then none was read.</returns>
    /// <exception cref="DamagedRowsException">A block cannot be read.</exception>
    public static async Task<bool> ReadAsync(
        string key, TensorStore store, Action<BinaryReader> take, CancellationToken cancellationToken)
    {
        using var reader = await StageReader.OpenAsync(store, key, MeasureSetting.AllBlocks, cancellationToken);
        if (!reader.Rows(TensorKinds.None, step: null).Contains(MeasureSetting.AllBlocks))
            return false;
        foreach (var manifest in reader.Manifests.OrderBy(m => m.RowStart))
        {
            cancellationToken.ThrowIfCancellationRequested();
            var bytes = new byte[manifest.Object(TensorKinds.None)!.Bytes];
            reader.ReadResult(manifest.Rows, bytes);
            take(new(new MemoryStream(bytes, writable: false)));
        }
        return true;
    }
}
