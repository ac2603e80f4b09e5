using System.Diagnostics;

namespace Taba.Testing.Stores;

/// <summary>Small disks of these tests.</summary>
public static class Disks
{
    const int Kilobytes = 1024;

    /// <summary>Mounts one, or skips the test where this user may not; root under CI must be able to.</summary>
    public static SmallDisk MountOrSkip()
    {
        if (SmallDisk.TryMount(Kilobytes, out var reason) is { } disk)
            return disk;
        if (Environment.GetEnvironmentVariable("CI") == "true" && Environment.IsPrivilegedProcess)
            Assert.Fail(reason);
        Assert.Skip(reason);
        throw new UnreachableException();
    }
}
