using Taba.Grains.Words;
using Taba.Grains;
using Taba.Storage.Manifests;
using Taba.Storage.Objects;

namespace Taba.Client.Planning;

/// <summary>Refuses a run whose bytes do not fit.</summary>
static class DiskRoom
{
    /// <exception cref="BadInputException">Too little room, which is better known before hours of work than after.</exception>
    public static void Require(PlanEstimate estimate, string storeRoot, string folder)
    {
        var inStore = checked(estimate.StoreBytes + estimate.WorkingBytes);
        if (Mount(storeRoot) == Mount(folder))
            Require(checked(inStore + estimate.FolderBytes), storeRoot);
        else
        {
            Require(inStore, storeRoot);
            Require(estimate.FolderBytes, folder);
        }
    }

    static void Require(long bytes, string folder)
    {
        if (DiskSpace.Available(folder) is { } free && bytes > free)
        {
            throw new BadInputException(
                $"The disk of {folder} has {Quantities.Bytes(free)} free and this run writes {Quantities.Bytes(bytes)}, checkpoints and "
                + "scratch files among it: "
                + "make room, choose another folder with --out, or keep less (fewer samples, no internal).");
        }
    }

    /// <summary>The file system that holds a path, which need not exist.</summary>
    static string? Mount(string path)
    {
        var full = Path.GetFullPath(path);
        return DriveInfo.GetDrives().Select(d => d.Name).Where(name => Holds(name, full)).MaxBy(name => name.Length);
    }

    static bool Holds(string mount, string path) =>
        path.StartsWith(mount, StringComparison.Ordinal)
        && (mount.EndsWith(Path.DirectorySeparatorChar) || path.Length == mount.Length
            || path[mount.Length] == Path.DirectorySeparatorChar);
}
