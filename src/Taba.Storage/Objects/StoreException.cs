namespace Taba.Storage.Objects;

/// <summary>The store or its disk failed: exit status 3, the same command continues.</summary>
public class StoreException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>True when the cause is a full disk.</summary>
    public bool DiskFull { get; init; }

    /// <summary>True when the same command fails until the user changes something: a right, a path.</summary>
    public bool NeedsUser { get; init; }
}

/// <summary>An object is larger than any of its name may be.</summary>
public sealed class ObjectTooLargeException(string where, long bytes, long most)
    : StoreException($"{where} has {bytes} bytes, more than the {most} that an object of its name may have");
