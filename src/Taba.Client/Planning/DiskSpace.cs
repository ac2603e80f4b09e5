using Taba.Client.Progress;
using Taba.Grains;

namespace Taba.Client.Planning;

/// <summary>Asks before a run whether its bytes fit.</summary>
static class DiskSpace
{
    /// <exception cref="BadInputException">Too little room, which is better known before hours of work than after.</exception>
    public static void Require(PlanEstimate estimate, string storeRoot, string folder)
    {
        var (store, target) = (Mount(storeRoot), Mount(folder));
        if (store.Name == target.Name)
            Require(store, checked(estimate.StoreBytes + estimate.FolderBytes), storeRoot);
        else
        {
            Require(store, estimate.StoreBytes, storeRoot);
            Require(target, estimate.FolderBytes, folder);
        }
    }

    /// <summary>Free bytes where a folder is or would be.</summary>
    public static long Free(string folder) => Mount(folder).AvailableFreeSpace;

    static void Require(DriveInfo mount, long bytes, string folder)
    {
        var free = mount.AvailableFreeSpace;
        if (bytes > free)
        {
            throw new BadInputException(
                $"The disk of {folder} has {Quantities.Bytes(free)} free and this run writes {Quantities.Bytes(bytes)}: "
                + "make room, choose another folder with --out, or keep less (fewer samples, no internal).");
        }
    }

    /// <summary>The file system that holds a path, which need not exist.</summary>
    static DriveInfo Mount(string path)
    {
        var full = Path.GetFullPath(path);
        var best = DriveInfo.GetDrives()
            .Where(d => d.IsReady && Holds(d.Name, full))
            .MaxBy(d => d.Name.Length);
        return best ?? new DriveInfo(Path.GetPathRoot(full)!);
    }

    static bool Holds(string mount, string path) =>
        path.StartsWith(mount, StringComparison.Ordinal)
        && (mount.EndsWith(Path.DirectorySeparatorChar) || path.Length == mount.Length || path[mount.Length] == Path.DirectorySeparatorChar);
}
