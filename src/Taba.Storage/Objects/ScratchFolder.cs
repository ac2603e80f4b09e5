namespace Taba.Storage.Objects;

/// <summary>
/// A folder of this process alone, for what is not finished, below one where other processes have theirs. Its lock ends with the process,
/// however that ends: the next one to come deletes what it left.
/// </summary>
sealed class ScratchFolder : IDisposable
{
    const int Attempts = 5;
    const string LockName = "lock";

    readonly FileStream _lock;

    ScratchFolder(string path, FileStream locked) => (Path, _lock) = (path, locked);

    public string Path { get; }

    /// <param name="parent">Created when it is not there.</param>
    /// <exception cref="StoreException">It cannot be written.</exception>
    public static ScratchFolder Take(string parent)
    {
        try
        {
            Directory.CreateDirectory(parent);
            foreach (var left in Directory.GetDirectories(parent, "process-*"))
                DeleteIfLeft(left);
            for (var attempt = 1; ; attempt++)
            {
                var path = System.IO.Path.Combine(parent, $"process-{Guid.NewGuid():N}");
                Directory.CreateDirectory(path);
                try
                {
                    return new(path, Lock(path, FileMode.CreateNew));
                }
                catch (IOException) when (attempt < Attempts)
                {
                    // Another process took the folder for one that was left, in the moment before its lock was taken.
                }
            }
        }
        catch (Exception exception) when (DiskErrors.IsDisk(exception))
        {
            throw DiskErrors.Wrap(exception, "create", parent);
        }
    }

    /// <summary>Gives it back; the next process deletes it.</summary>
    public void Dispose() => _lock.Dispose();

    static void DeleteIfLeft(string path)
    {
        try
        {
            using (Lock(path, FileMode.Open))
                Directory.Delete(path, recursive: true);
        }
        catch (Exception exception) when (DiskErrors.IsDisk(exception))
        {
            // Somebody uses it, or is deleting it.
        }
    }

    static FileStream Lock(string path, FileMode mode) =>
        new(System.IO.Path.Combine(path, LockName), mode, FileAccess.ReadWrite, FileShare.None);
}
