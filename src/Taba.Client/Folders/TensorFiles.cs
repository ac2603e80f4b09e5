using Taba.Grains;

namespace Taba.Client.Folders;

/// <summary>The tensor files of a run folder, ours or upstream's.</summary>
static class TensorFiles
{
    static readonly string[] s_extensions = [.. Enum.GetValues<TensorFormat>().Select(f => f.Extension())];

    /// <summary>Paths by tensor name, in the order of names; of several formats of one tensor the first is taken.</summary>
    /// <exception cref="BadInputException">There is no such folder, or no tensor file in it.</exception>
    public static IReadOnlyList<KeyValuePair<string, string>> In(string folder)
    {
        if (!Directory.Exists(folder))
            throw new BadInputException($"There is no folder {folder}.");
        var files = Directory.EnumerateFiles(folder)
            .Where(f => s_extensions.Contains(Path.GetExtension(f)))
            .GroupBy(f => Path.GetFileNameWithoutExtension(f), StringComparer.Ordinal)
            .OrderBy(g => g.Key, StringComparer.Ordinal)
            .Select(g => new KeyValuePair<string, string>(g.Key, g.OrderBy(f => Array.IndexOf(s_extensions, Path.GetExtension(f))).First()))
            .ToList();
        return files.Count > 0
            ? files
            : throw new BadInputException($"{folder} holds no tensor file ({string.Join(", ", s_extensions)}): give the folder of a run.");
    }

    public static TensorFormat FormatOf(string path) =>
        Enum.GetValues<TensorFormat>().First(f => f.Extension() == Path.GetExtension(path));

    /// <summary>The path of a tensor in a folder, or null.</summary>
    public static string? Find(string folder, string name) =>
        s_extensions.Select(e => Path.Combine(folder, name + e)).FirstOrDefault(File.Exists);
}
