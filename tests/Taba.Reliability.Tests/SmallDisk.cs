using System.Diagnostics;

namespace Taba.Reliability.Tests;

/// <summary>A disk of a few megabytes, mounted for one test.</summary>
sealed class SmallDisk : IDisposable
{
    const int PageBytes = 4096;

    readonly string _path;

    SmallDisk(string path) => _path = path;

    string Ballast => Path.Combine(_path, "ballast");

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

    /// <summary>Another program fills it up to this many kilobytes.</summary>
    public void Fill(int kilobytesLeft = 0)
    {
        using (var ballast = new FileStream(Ballast, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0))
        {
            var page = new byte[PageBytes];
            try
            {
                while (true)
                    ballast.Write(page);
            }
            catch (IOException)
            {
                // That was the last byte.
            }
            ballast.SetLength(Math.Max(0, ballast.Length - kilobytesLeft * 1024L));
        }
    }

    /// <summary>The other program goes.</summary>
    public void MakeRoom() => File.Delete(Ballast);

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
