namespace Taba.Diffusion.Weights.Hub;

/// <summary>
/// An exclusive lock of the operating system on a file (flock on Unix, as the hub's own libraries use), so that it ends with its
/// process. The file stays: deleting it would let two processes lock two files of one name.
/// </summary>
static class FileLock
{
    const int LinuxWouldBlock = 11, MacWouldBlock = 35;
    const int WindowsSharingViolation = unchecked((int)0x80070020);

    static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(200);

    /// <summary>
    /// Waits until the lock is free and takes it; it is given back by disposing. <paramref name="waiting"/> is told once that it
    /// waits.
    /// </summary>
    public static async Task<IDisposable> AcquireAsync(string path, Action? waiting, CancellationToken cancellation)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        while (true)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
            }
            catch (IOException error) when (error.HResult is LinuxWouldBlock or MacWouldBlock or WindowsSharingViolation)
            {
                waiting?.Invoke();
                waiting = null;
                await Task.Delay(s_pause, cancellation);
            }
        }
    }
}
