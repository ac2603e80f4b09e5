namespace Taba.Storage.Objects;

/// <summary>Runs file operations whose errors are the store's, with what to do.</summary>
public static class StoreErrors
{
    public delegate void SpanWork<in T>(T target, ReadOnlySpan<byte> bytes);

    /// <summary>Runs work on a file that is written.</summary>
    public static T Guard<T>(string path, Func<T> work) => Guard("write", path, work);

    /// <param name="what">What is done to it: read, write, create.</param>
    public static T Guard<T>(string what, string path, Func<T> work)
    {
        try
        {
            return work();
        }
        catch (Exception exception) when (DiskErrors.IsDisk(exception))
        {
            throw DiskErrors.Wrap(exception, what, path);
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
