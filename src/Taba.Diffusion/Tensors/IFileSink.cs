namespace Taba.Diffusion.Tensors;

/// <summary>
/// Takes the bytes of one file from its first to its last. The file is whole or absent: it has its name from <see cref="Complete"/> on,
/// and disposing before that leaves what had the name. Not safe for several threads.
/// </summary>
public interface IFileSink : IDisposable
{
    /// <summary>Appends bytes.</summary>
    void Write(ReadOnlySpan<byte> bytes);

    /// <summary>Makes the file durable and gives it its name.</summary>
    /// <param name="head">
    /// The file's first bytes as they are in the end, at most 64 KiB: a format may want there a number that only the last bytes tell. Empty
    /// leaves them as they were written.
    /// </param>
    void Complete(ReadOnlySpan<byte> head);
}
