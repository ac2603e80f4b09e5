using Taba.Silo.Rows;
using Taba.Storage.RunFolders;
using System.Collections.Immutable;
using Taba.Grains.Sweeps;
using Taba.Storage.Manifests;
using Taba.Storage.Objects;

namespace Taba.Silo.Outputs;

/// <summary>Writes the tensor files of the runs of one sweep, and on a disk links those that runs share.</summary>
sealed class RunTensorWriter(TensorStore store, NoiseSources noise, TensorFormat format)
{
    readonly Dictionary<string, string?> _written = [];

    /// <summary>Remembers the file of a tensor that lies in a folder already.</summary>
    public void Remember(PlannedRun run, RunTensor tensor, string? path) => _written[ShareKey(run, tensor)] = path;

    /// <summary>Writes one tensor, or links it where the same one was written for another run.</summary>
    /// <exception cref="StoreException">A row is not published and did not fail, or the disk is full.</exception>
    public async Task<RunFile> WriteAsync(
        PlannedRun run, RunTensor tensor, OutputFolder folder, RowSet failed, SubstitutedRows substitutes,
        CancellationToken cancellationToken)
    {
        using var rows = await RunRows.OpenAsync(tensor, run, store, noise, substitutes, cancellationToken);
        var lost = RowSet.Of(run.Rows).Subtract(rows.Rows).Subtract(failed);
        if (!lost.IsEmpty && tensor.Rows is StageRows { Key: var key })
            throw new DamagedRowsException(
                key, new(lost.Ranges[0].Start, lost.Ranges[^1].End), null,
                $"rows {lost} of {tensor.Name} were computed, and the store has lost them since: rows {lost} of stage {key} are "
                + "computed again");
        ImmutableArray<long> rowShape = tensor.Shape is { } s ? [s.Channels, s.Height, s.Width] : [];
        var share = ShareKey(run, tensor);
        var name = tensor.Name + format.Extension();
        var path = folder.LocalPath(name);
        if (path is not null && _written.TryGetValue(share, out var other) && File.Exists(other) && HardLink.TryCreate(other, path))
        {
            ImmutableArray<long> shape = tensor.Steps.IsEmpty
                ? [run.Rows.Count, .. rowShape]
                : [tensor.Steps.Length, run.Rows.Count, .. rowShape];
            return new(tensor.Name, name, rows.DtypeName, shape, new FileInfo(path).Length, tensor.Steps);
        }
        var file = new TensorAssembler(store).Write(
            folder, tensor, rows, run.Rows, rowShape, format,
            path is null ? null : await LinkableAsync(run, tensor, cancellationToken), cancellationToken);
        _written[share] = path;
        return file;
    }

    /// <summary>The object that is exactly this tensor, when one part holds all of the run's rows and steps.</summary>
    async Task<(PartManifest Manifest, ObjectEntry Entry)?> LinkableAsync(
        PlannedRun run, RunTensor tensor, CancellationToken cancellationToken)
    {
        // Objects are float32, and an autoencoder's have names of their own.
        if (tensor.Rows is not StageRows stage || tensor.Dtype != Dtype.Float32 || tensor.DecodedFrom is not null)
            return null;
        foreach (var manifest in await store.ListAsync(stage.Key, run.Rows, cancellationToken))
        {
            if (manifest.Rows == run.Rows && manifest.Object(tensor.Kind) is { } entry && entry.Name == tensor.Name
                && entry.Steps.SequenceEqual(tensor.Steps))
                return (manifest, entry);
        }
        return null;
    }

    static string ShareKey(PlannedRun run, RunTensor tensor) =>
        $"{tensor.Name} {tensor.Rows} {tensor.Kind} {string.Join(',', tensor.Steps)} {run.Rows} {run.Model.Digest}";
}
