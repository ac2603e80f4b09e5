using System.Text.Json;

namespace Taba.Storage.Objects;

/// <summary>
/// The exclusive lock of a store folder that an embedded run holds while it works there. It is a lock of the operating system
/// on <c>lock</c> (flock on Unix), so it ends with the process however that ends; who holds it stands in <c>lock.json</c>,
/// because others cannot read a locked file. On NFS before version 4 locks reach no other machine: there, do not run from
/// two machines into one output folder.
/// </summary>
public sealed class StoreLock : IDisposable
{
    const int LinuxWouldBlock = 11;
    const int MacWouldBlock = 35;
    const int WindowsSharingViolation = unchecked((int)0x80070020);

    static readonly JsonSerializerOptions s_json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    readonly FileStream _file;
    readonly string? _holderFile;

    StoreLock(FileStream file, string? holderFile)
    {
        _file = file;
        _holderFile = holderFile;
    }

    /// <summary>Takes the lock or says who has it.</summary>
    /// <param name="root">The store's folder; created when it is not there.</param>
    /// <param name="command">The command line, for whoever finds the store busy.</param>
    /// <param name="time">For the time that the holder's note carries; the system's clock when null.</param>
    /// <exception cref="StoreBusyException">Another process holds it.</exception>
    /// <exception cref="StoreException">The folder or the file cannot be written.</exception>
    public static StoreLock Acquire(string root, string command, TimeProvider? time = null)
    {
        var lockFile = Path.Combine(Path.GetFullPath(root), "lock");
        var holderFile = lockFile + ".json";
        FileStream? file = null;
        try
        {
            DurableFile.CreateDirectory(Path.GetDirectoryName(lockFile)!);
            file = new FileStream(lockFile, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            var holder = new LockHolder(
                Environment.ProcessId, Environment.MachineName, command, (time ?? TimeProvider.System).GetUtcNow());
            DurableFile.Replace(holderFile, JsonSerializer.SerializeToUtf8Bytes(holder, s_json));
            return new(file, holderFile);
        }
        catch (IOException exception) when (file is null
            && exception.HResult is LinuxWouldBlock or MacWouldBlock or WindowsSharingViolation)
        {
            throw new StoreBusyException(BusyMessage(root, ReadHolder(holderFile)), exception);
        }
        catch (Exception exception) when (DiskErrors.IsDisk(exception))
        {
            file?.Dispose();
            throw DiskErrors.Wrap(exception, "lock", lockFile);
        }
    }

    /// <summary>Takes the lock beside other silos of a cluster: an embedded run finds it taken, and the other way round.</summary>
    /// <param name="root">The store's folder; created when it is not there.</param>
    /// <exception cref="StoreBusyException">An embedded run holds it.</exception>
    /// <exception cref="StoreException">The folder or the file cannot be used.</exception>
    public static StoreLock Share(string root)
    {
        var lockFile = Path.Combine(Path.GetFullPath(root), "lock");
        try
        {
            DurableFile.CreateDirectory(Path.GetDirectoryName(lockFile)!);
            using (new FileStream(lockFile, FileMode.OpenOrCreate, FileAccess.Read, FileShare.ReadWrite))
            {
                // Only to have it there.
            }
            return new(new FileStream(lockFile, FileMode.Open, FileAccess.Read, FileShare.Read), holderFile: null);
        }
        catch (IOException exception) when (exception.HResult is LinuxWouldBlock or MacWouldBlock or WindowsSharingViolation)
        {
            throw new StoreBusyException(BusyMessage(root, ReadHolder(lockFile + ".json")), exception);
        }
        catch (Exception exception) when (DiskErrors.IsDisk(exception))
        {
            throw DiskErrors.Wrap(exception, "lock", lockFile);
        }
    }

    /// <summary>Lets the next one in. The lock file stays: deleting it would let two processes lock two files of one name.</summary>
    public void Dispose()
    {
        if (_holderFile is not null)
            DurableFile.DeleteIfThere(_holderFile);
        _file.Dispose();
    }

    static string BusyMessage(string root, LockHolder? holder) => holder is null
        ? $"the store {root} is in use by another process (a run, or silos of a cluster)"
        : $"the store {root} is in use by process {holder.Pid} on {holder.Host} ('{holder.Command}', since "
            + $"{holder.Started.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC)";

    static LockHolder? ReadHolder(string file)
    {
        try
        {
            return JsonSerializer.Deserialize<LockHolder>(File.ReadAllBytes(file), s_json);
        }
        catch (Exception exception) when (exception is JsonException || DiskErrors.IsDisk(exception))
        {
            // The holder has the lock but has not written its note yet.
            return null;
        }
    }
}

/// <summary>Another process holds the store.</summary>
public sealed class StoreBusyException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>Who holds the lock of a store.</summary>
sealed record LockHolder(int Pid, string Host, string Command, DateTimeOffset Started);
