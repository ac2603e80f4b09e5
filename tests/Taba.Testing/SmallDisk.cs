using System.Diagnostics;

namespace Taba.Testing;

/// <summary>A disk of a few megabytes, mounted for one test.</summary>
public sealed class SmallDisk : IDisposable
{
    const int PageBytes = 4096;

    readonly TempFolder? _folder;

    SmallDisk(string path, TempFolder? folder) => (Path, _folder) = (path, folder);

    public string Path { get; }

    string Ballast => System.IO.Path.Combine(Path, "ballast");

    /// <summary>Mounts it on a folder of its own.</summary>
    /// <returns>Null, with the reason, where this user may not.</returns>
    public static SmallDisk? TryMount(int kilobytes, out string reason)
    {
        var folder = new TempFolder();
        var disk = TryMount(folder.Path, kilobytes, folder, out reason);
        if (disk is null)
            folder.Dispose();
        return disk;
    }

    /// <summary>Mounts it on a folder.</summary>
    /// <returns>Null, with the reason, where this user may not.</returns>
    public static SmallDisk? TryMount(string path, int kilobytes, out string reason) => TryMount(path, kilobytes, null, out reason);

    static SmallDisk? TryMount(string path, int kilobytes, TempFolder? folder, out string reason)
    {
        Directory.CreateDirectory(path);
        var (status, said) = Run("mount", "-t", "tmpfs", "-o", $"size={kilobytes}k", "taba-test", path);
        reason = status == 0 ? "" : $"a tmpfs cannot be mounted: {said.Trim()}";
        return status == 0 ? new(path, folder) : null;
    }

    /// <summary>Makes it as large as this, with what is on it.</summary>
    public void Resize(int kilobytes)
    {
        var (status, said) = Run("mount", "-o", $"remount,size={kilobytes}k", Path);
        if (status != 0)
            throw new InvalidOperationException(said);
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

    public void Dispose()
    {
        Run("umount", "-l", Path);
        _folder?.Dispose();
    }

    static (int Status, string Said) Run(string program, params string[] arguments)
    {
        Needs.AProcess(program);
        try
        {
            using var process = Process.Start(
                new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
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
