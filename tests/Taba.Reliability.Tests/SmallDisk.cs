using System.Diagnostics;

namespace Taba.Reliability.Tests;

/// <summary>A disk of a few megabytes, mounted for one test.</summary>
sealed class SmallDisk : IDisposable
{
    readonly string _path;

    SmallDisk(string path) => _path = path;

    /// <summary>Mounts it on a folder, or skips the test where this user may not; root under CI must be able to.</summary>
    public static SmallDisk MountOrSkip(string path, int kilobytes)
    {
        Directory.CreateDirectory(path);
        var (status, said) = Run("mount", "-t", "tmpfs", "-o", $"size={kilobytes}k", "taba-test", path);
        if (status == 0)
            return new(path);
        var reason = $"a tmpfs cannot be mounted: {said.Trim()}";
        if (Environment.GetEnvironmentVariable("CI") == "true" && Environment.IsPrivilegedProcess)
            Assert.Fail(reason);
        Assert.Skip(reason);
        throw new UnreachableException();
    }

    /// <summary>Makes it as large as this, with what is on it.</summary>
    public void Resize(int kilobytes)
    {
        var (status, said) = Run("mount", "-o", $"remount,size={kilobytes}k", _path);
        Assert.True(status == 0, said);
    }

    /// <summary>Another program fills it to the last byte.</summary>
    public void Fill()
    {
        using var ballast = new FileStream(Path.Combine(_path, "ballast"), FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        try
        {
            var page = new byte[4096];
            while (true)
                ballast.Write(page);
        }
        catch (IOException)
        {
            // That was the last byte.
        }
    }

    public void Dispose() => Run("umount", "-l", _path);

    static (int Status, string Said) Run(string program, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            var said = process.StandardError.ReadToEnd();
            process.WaitForExit();
            return (process.ExitCode, said);
        }
        catch (System.ComponentModel.Win32Exception exception)
        {
            return (-1, exception.Message);
        }
    }
}
