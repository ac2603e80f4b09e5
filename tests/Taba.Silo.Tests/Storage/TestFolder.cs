using System.Diagnostics;

namespace Taba.Silo.Tests.Storage;

/// <summary>A folder of its own for one test, gone afterwards.</summary>
sealed class TestFolder : IDisposable
{
    public TestFolder() => Directory.CreateDirectory(Path);

    public string Path { get; } = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"taba-{Guid.NewGuid():N}");

    public string this[params string[] names] => System.IO.Path.Combine([Path, .. names]);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}

/// <summary>A disk of one megabyte, mounted for one test.</summary>
sealed class SmallDisk : IDisposable
{
    readonly TestFolder _folder = new();

    SmallDisk()
    {
    }

    public string Path => _folder.Path;

    /// <summary>Mounts it, or skips the test where this user may not; root under CI must be able to.</summary>
    public static SmallDisk MountOrSkip()
    {
        var disk = new SmallDisk();
        var (status, output) = Command.Run("mount", "-t", "tmpfs", "-o", "size=1m", "taba-test", disk.Path);
        if (status == 0)
            return disk;
        disk._folder.Dispose();
        var reason = $"a tmpfs of 1 MiB cannot be mounted: {output.Trim()}";
        if (Environment.GetEnvironmentVariable("CI") == "true" && Environment.IsPrivilegedProcess)
            Assert.Fail(reason);
        Assert.Skip(reason);
        throw new UnreachableException();
    }

    /// <summary>Leaves room for this many bytes.</summary>
    public void FillUpTo(int free)
    {
        using var file = File.Create(System.IO.Path.Combine(Path, "ballast"));
        var room = new DriveInfo(Path).AvailableFreeSpace;
        file.Write(new byte[room - free]);
    }

    public void MakeRoom() => File.Delete(System.IO.Path.Combine(Path, "ballast"));

    public void Dispose()
    {
        Command.Run("umount", "-l", Path);
        _folder.Dispose();
    }
}

/// <summary>Other programs.</summary>
static class Command
{
    /// <summary>Runs a program to its end. The status is -1 where it does not exist.</summary>
    public static (int Status, string Output) Run(string program, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(Redirected(program, arguments))!;
            var error = process.StandardError.ReadToEndAsync();
            var output = process.StandardOutput.ReadToEnd() + error.GetAwaiter().GetResult();
            process.WaitForExit();
            return (process.ExitCode, output);
        }
        catch (System.ComponentModel.Win32Exception exception)
        {
            return (-1, exception.Message);
        }
    }

    public static ProcessStartInfo Redirected(string program, params string[] arguments) => new(program, arguments)
    {
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    };
}
