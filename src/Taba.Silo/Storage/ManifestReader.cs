using System.Text.Json;

namespace Taba.Silo.Storage;

/// <summary>Reads manifests and believes nothing: a store folder may come from anywhere.</summary>
static class ManifestReader
{
    /// <summary>A manifest names a handful of objects; 1000 kept steps of three kinds are 20 KB.</summary>
    public const int MaxBytes = 4 << 20;

    /// <param name="paths">The store's names.</param>
    /// <param name="stageKey">The stage in whose folder the file lies.</param>
    /// <param name="file">The manifest's file, named by its first row.</param>
    /// <exception cref="StoreException">The file is damaged, or speaks of something else than its name says.</exception>
    public static PartManifest Read(StorePaths paths, string stageKey, string file)
    {
        PartManifest manifest;
        try
        {
            var length = new FileInfo(file).Length;
            if (length > MaxBytes)
                throw Damaged(file, $"it has {length} bytes, more than the {MaxBytes} that a manifest may have");
            manifest = StoreJson.Read<PartManifest>(File.ReadAllBytes(file));
        }
        catch (JsonException exception)
        {
            throw Damaged(file, exception.Message, exception);
        }
        catch (Exception exception) when (DiskErrors.IsDisk(exception))
        {
            throw DiskErrors.Wrap(exception, "read", file);
        }
        if (Fault(paths, stageKey, file, manifest) is { } fault)
            throw Damaged(file, fault);
        return manifest;
    }

    /// <summary>The fault of a manifest in words; null when it has none.</summary>
    public static string? Fault(StorePaths paths, string stageKey, string file, PartManifest manifest)
    {
        if (manifest.Schema > PartManifest.CurrentSchema)
            return $"a newer version wrote it (schema {manifest.Schema}, this one knows {PartManifest.CurrentSchema})";
        if (manifest.StageKey != stageKey)
            return $"it speaks of stage {manifest.StageKey}";
        if (manifest.RowStart < 0 || manifest.RowEnd <= manifest.RowStart)
            return $"it speaks of rows [{manifest.RowStart}, {manifest.RowEnd})";
        if (manifest.RowStart / StorePaths.GroupRows != (manifest.RowEnd - 1) / StorePaths.GroupRows)
            return $"its rows [{manifest.RowStart}, {manifest.RowEnd}) do not lie in one group of {StorePaths.GroupRows}";
        if (manifest.Objects.IsDefaultOrEmpty)
            return "it names no objects";
        if (manifest.Objects.Any(o => o is null || o.Steps.IsDefault || o.Shape.IsDefault))
            return "an object lacks its steps or shape";
        if (manifest.Objects.FirstOrDefault(o => paths.Resolve(o.Path) is null) is { } outside)
            return $"the path '{outside.Path}' is not one of this store's objects";
        if (manifest.Objects.FirstOrDefault(o => o.DataOffset < 0 || o.Bytes < 0 || o.DataOffset > long.MaxValue - o.Bytes) is { } sizes)
            return $"the object {sizes.Name} claims {sizes.Bytes} bytes at {sizes.DataOffset}";
        return StorePaths.ManifestName(manifest) == Path.GetFileName(file) ? null : "its name is that of another part";
    }

    static StoreException Damaged(string file, string why, Exception? inner = null) => new(
        $"the manifest {file} cannot be used: {why.TrimEnd('.')}; delete the file and run the same command: its rows are computed again",
        inner);
}
