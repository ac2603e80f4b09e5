using System.Security.Cryptography;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Taba.Silo.Storage;

/// <summary>A gate that one at a time passes, among the threads and processes of a machine; entering waits for its turn.</summary>
sealed class FileGate : IDisposable
{
    readonly SafeFileHandle? _handle;
    readonly Mutex? _mutex;

    FileGate(SafeFileHandle? handle, Mutex? mutex)
    {
        _handle = handle;
        _mutex = mutex;
    }

    /// <param name="path">The lock file; created when it is not there, its folder must be.</param>
    public static FileGate Enter(string path)
    {
        if (OperatingSystem.IsWindows())
            return new(null, EnterMutex(path));
        if (!File.Exists(path))
            Create(path);
        return new(Posix.OpenLocked(path), null);
    }

    /// <summary>On the thread that entered.</summary>
    public void Dispose()
    {
        if (_handle is not null)
        {
            Posix.Unlock(_handle);
            _handle.Dispose();
        }
        if (_mutex is not null)
        {
            _mutex.ReleaseMutex();
            _mutex.Dispose();
        }
    }

    static void Create(string path)
    {
        try
        {
            File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, FileShare.ReadWrite).Dispose();
        }
        catch (IOException) when (File.Exists(path))
        {
            // Another one was quicker, and may already hold it.
        }
    }

    static Mutex EnterMutex(string path)
    {
        var name = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(path)));
        var mutex = new Mutex(initiallyOwned: false, $"taba-{name}");
        try
        {
            mutex.WaitOne();
        }
        catch (AbandonedMutexException)
        {
            // Its holder died; what it did is whole or absent, so the gate is simply ours.
        }
        return mutex;
    }
}
