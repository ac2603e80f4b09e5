using System.Diagnostics;
using Taba.Testing;

namespace Taba.Reliability.Tests;

/// <summary>Small disks of these tests.</summary>
static class Disks
{
    /// <summary>Mounts one on a folder, or skips the test where this user may not; root under CI must be able to.</summary>
    public static SmallDisk MountOrSkip(string path, int kilobytes)
    {
        if (SmallDisk.TryMount(path, kilobytes, out var reason) is { } disk)
            return disk;
        if (Environment.GetEnvironmentVariable("CI") == "true" && Environment.IsPrivilegedProcess)
            Assert.Fail(reason);
        Assert.Skip(reason);
        throw new UnreachableException();
    }
}
