namespace Taba.Diffusion;

/// <summary>Reads whole files from outside, which must be small.</summary>
static class InputFile
{
    /// <summary>The bytes of a file that has some, and at most <paramref name="maxBytes"/>.</summary>
    /// <param name="path">The file.</param>
    /// <param name="maxBytes">The most that is read.</param>
    /// <param name="what">What the file should be, with its article, for messages.</param>
    /// <exception cref="InvalidDataException">It is a folder, empty or too large.</exception>
    /// <exception cref="IOException">It is absent or cannot be read.</exception>
    internal static byte[] Read(string path, int maxBytes, string what)
    {
        if (Directory.Exists(path))
            throw new InvalidDataException($"{path} is a folder; {what} is expected.");

        // Before it is opened: a pipe has no length, and to open one may wait for ever. Of a link the target counts.
        var target = File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path;
        if (new FileInfo(target) is { Exists: true, Length: 0 })
            throw new InvalidDataException($"{path} is empty; {what} is expected.");

        using var handle = File.OpenHandle(
            path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, FileOptions.SequentialScan);
        var length = RandomAccess.GetLength(handle);
        if (length > maxBytes)
            throw new InvalidDataException($"{path} has {length} bytes; {what} has at most {maxBytes}.");

        var bytes = GC.AllocateUninitializedArray<byte>((int)length);
        for (var at = 0; at < bytes.Length;)
        {
            var read = RandomAccess.Read(handle, bytes.AsSpan(at), at);
            if (read == 0)
                throw new InvalidDataException($"{path} became shorter than {length} bytes while it was read.");
            at += read;
        }

        return bytes;
    }
}
