using System.Text;
using Taba.Diffusion.Weights.Pickle;

namespace Taba.Diffusion.Weights;

/// <summary>
/// Reads torch.save's format since 1.6: a zip archive of stored entries, all in one folder of any name: data.pkl, an
/// optional byteorder, and data/KEY for each storage.
/// </summary>
static class TorchZipFile
{
    public static IReadOnlyList<StoredTensor> Read(SourceFile file)
    {
        var entries = ZipDirectory.Read(file);
        var (folder, pickle) = FindPickle(file, entries);
        RequireLittleEndian(file, entries, folder);

        var bytes = file.ReadBytes(pickle.Offset, pickle.Length, TorchCheckpoint.MaxPickleBytes, "data.pkl");
        var root = new PickleReader(bytes, 0, new StateDictRules(file.Fault)).Read();
        return TorchCheckpoint.Resolve(file, root, storage => Locate(file, entries, folder, storage));
    }

    static (string Folder, ZipEntry Pickle) FindPickle(SourceFile file, Dictionary<string, ZipEntry> entries)
    {
        const string Suffix = "/data.pkl";
        var found = entries.Values
            .Where(entry => entry.Name.EndsWith(Suffix, StringComparison.Ordinal) && entry.Name.IndexOf(
                '/') == entry.Name.Length - Suffix.Length)
            .ToList();
        if (found.Count == 0 && entries.Count > 0 && entries.Keys.All(name => name.EndsWith(".npy", StringComparison.Ordinal)))
        {
            throw file.Fault(
                $"it is an archive of numpy (.npz) of {string.Join(", ", entries.Keys.Take(3))}: give one array as .npy, "
                + "with numpy.save(\"x.npy\", numpy.load(\"x.npz\")[\"arr_0\"]).");
        }
        if (found.Count != 1)
            throw file.Fault($"it is a zip archive with {found.Count} entries FOLDER/data.pkl; torch.save writes one.");

        var folder = found[0].Name[..^Suffix.Length];
        if (entries.ContainsKey($"{folder}/constants.pkl"))
            throw file.Fault("it is a TorchScript archive, not a state dict; save the plain state dict with torch.save.");
        return (folder, found[0]);
    }

    static void RequireLittleEndian(SourceFile file, Dictionary<string, ZipEntry> entries, string folder)
    {
        // Absent before torch 2.0, whose files from big-endian machines cannot be told apart.
        if (!entries.TryGetValue($"{folder}/byteorder", out var entry))
            return;

        var order = Encoding.ASCII.GetString(file.ReadBytes(entry.Offset, entry.Length, limit: 16, "byteorder"));
        if (order != "little")
            throw file.Fault($"its byte order is '{order}'; only little-endian files are read.");
    }

    static long Locate(SourceFile file, Dictionary<string, ZipEntry> entries, string folder, StorageReference storage)
    {
        if (!entries.TryGetValue($"{folder}/data/{storage.Key}", out var entry))
            throw file.Fault($"its storage '{storage.Key}' is missing.");
        if (entry.Length != storage.Elements * ElementTypes.Size(storage.Type))
            throw file.Fault(
                $"its storage '{storage.Key}' takes {entry.Length} bytes but should hold {storage.Elements} elements of {storage.Type}.");
        return entry.Offset;
    }
}
