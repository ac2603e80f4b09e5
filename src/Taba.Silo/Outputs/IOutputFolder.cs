using Taba.Diffusion.Tensors;
using Taba.Silo.Storage;

namespace Taba.Silo.Outputs;

/// <summary>
/// A folder that results go to, wherever it is: a directory, or blobs whose names begin alike. Files are whole or absent. Names are
/// made here and never a path. Every call may fail with a <see cref="StoreException"/>, and none belongs in a grain's turn.
/// </summary>
public interface IOutputFolder
{
    /// <summary>A path or an address, for people.</summary>
    string Place { get; }

    /// <summary>A folder within this one. It need not be there.</summary>
    IOutputFolder Below(string name);

    /// <summary>The folders within this one, by name.</summary>
    IReadOnlyList<IOutputFolder> Folders();

    /// <summary>Bytes of a file; null when there is none of that name.</summary>
    long? Length(string file);

    /// <summary>Opens a file to be read at any offset; null when there is none of that name.</summary>
    IObjectReader? Open(string file);

    /// <summary>Makes the folder ready for new files; what a kill left half-written goes.</summary>
    void Prepare();

    /// <summary>Deletes a file, if it is there.</summary>
    void Delete(string file);

    /// <summary>Begins a file that is too large to be held in memory.</summary>
    /// <param name="file">Its name.</param>
    /// <param name="bytes">About how large it will be.</param>
    IFileSink Create(string file, long bytes);

    /// <summary>Writes a small file, replacing what has its name.</summary>
    void Write(string file, ReadOnlySpan<byte> bytes);

    /// <summary>The path of a file on this machine, there or not; null where files have none.</summary>
    string? LocalPath(string file);

    /// <summary>All bytes of a small file; null when there is none of that name.</summary>
    /// <exception cref="InvalidDataException">It is not small.</exception>
    byte[]? Read(string file)
    {
        using var reader = Open(file);
        if (reader is null)
            return null;
        if (reader.Length > 1 << 30)
            throw new InvalidDataException($"{Place}/{file} is larger than any file of its name.");
        var bytes = new byte[reader.Length];
        reader.Read(0, bytes);
        return bytes;
    }
}
