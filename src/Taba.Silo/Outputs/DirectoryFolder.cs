using Taba.Diffusion.Tensors;
using Taba.Silo.Storage;

namespace Taba.Silo.Outputs;

/// <summary>An output folder that is a directory of this machine.</summary>
public sealed class DirectoryFolder(string path) : IOutputFolder
{
    public string Place => path;

    public IOutputFolder Below(string name) => new DirectoryFolder(Path.Combine(path, name));

    public IReadOnlyList<IOutputFolder> Folders() => Directory.Exists(path)
        ? [.. Directory.EnumerateDirectories(path).Order(StringComparer.Ordinal).Select(p => new DirectoryFolder(p))]
        : [];

    public long? Length(string file) => new FileInfo(LocalPath(file)) is { Exists: true } info ? info.Length : null;

    public IObjectReader? Open(string file) => File.Exists(LocalPath(file))
        ? StoreErrors.Guard(LocalPath(file), () => new FileObjectReader(LocalPath(file)))
        : null;

    public void Prepare() => StoreErrors.Guard(path, () =>
    {
        Directory.CreateDirectory(path);
        foreach (var half in Directory.GetFiles(path, "*.tmp-*"))
            File.Delete(half);
        return 0;
    });

    public void Delete(string file) => StoreErrors.Guard(path, () =>
    {
        File.Delete(LocalPath(file));
        return 0;
    });

    public IFileSink Create(string file, long bytes) => StoreErrors.Guard(LocalPath(file), () => new DiskFileSink(LocalPath(file)));

    public void Write(string file, ReadOnlySpan<byte> bytes)
    {
        var target = LocalPath(file);
        var temporary = $"{target}.tmp-{Guid.NewGuid():n}";
        StoreErrors.Guard(target, temporary, bytes, (name, content) =>
        {
            try
            {
                Directory.CreateDirectory(path);
                // On disk before it has its name: after a power failure a file is whole or absent.
                DurableFile.Write(name, content);
                File.Move(name, target, overwrite: true);
            }
            catch
            {
                DurableFile.DeleteIfThere(name);
                throw;
            }
        });
    }

    string IOutputFolder.LocalPath(string file) => LocalPath(file);

    string LocalPath(string file) => Path.Combine(path, file);
}
