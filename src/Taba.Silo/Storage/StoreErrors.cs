namespace Taba.Silo.Storage;

/// <summary>Runs file operations whose errors are the store's, with what to do.</summary>
static class StoreErrors
{
    public delegate void SpanWork<in T>(T target, ReadOnlySpan<byte> bytes);

    public static T Guard<T>(string path, Func<T> work)
    {
        try
        {
            return work();
        }
        catch (Exception exception) when (DiskErrors.IsDisk(exception))
        {
            throw Wrap(exception, path);
        }
    }

    /// <summary>The same for an operation on a span.</summary>
    public static void Guard<T>(string path, T target, ReadOnlySpan<byte> bytes, SpanWork<T> work)
    {
        try
        {
            work(target, bytes);
        }
        catch (Exception exception) when (DiskErrors.IsDisk(exception))
        {
            throw Wrap(exception, path);
        }
    }

    public static StoreException Wrap(Exception exception, string path) => DiskErrors.Wrap(exception, "write", path);
}
