using Taba.Silo.Models;

namespace Taba.Client.Sweeps;

/// <summary>Reads <c>weights</c>: one file, or a list of checkpoints of one architecture, which is an axis.</summary>
static class WeightsReader
{
    static readonly string[] s_extensions = [".pt", ".pth", ".bin", ".safetensors", ".ckpt"];

    /// <summary>Files with what runs call them. A single file that is no list has no name: it is no axis.</summary>
    public static IReadOnlyList<(string? Path, string? Checkpoint)> Read(SweepFields fields, SweepPaths paths)
    {
        if (fields.Find("weights") is not YamlList list)
            return [(paths.File(fields.Text("weights")), null)];
        var files = SweepFields.AxisOf(list, "weights", SweepFields.TextOf).Select(file => paths.File(file)!).ToList();
        return files.Distinct().Count() == files.Count
            ? [.. files.Zip(Names(files), (file, name) => ((string?)file, (string?)name))]
            : throw list.Refuse($"weights has {files.GroupBy(f => f).First(g => g.Count() > 1).Key} twice: remove one.");
    }

    /// <summary>Names of files without what they all end with, and with as many folders before them as tell them apart.</summary>
    static List<string> Names(List<string> files)
    {
        var parts = files.Select(file => Stem(Path.GetFullPath(file)).Split(Path.DirectorySeparatorChar)).ToList();
        for (var depth = 1; depth < parts.Max(p => p.Length); depth++)
        {
            var names = parts.Select(p => PlainName.Of(string.Join('-', p[Math.Max(0, p.Length - depth)..]), "-._", '-').TrimStart('.'))
                .ToList();
            if (names.Distinct(StringComparer.OrdinalIgnoreCase).Count() == names.Count)
                return names;
        }
        // Only their extensions or signs that no folder may have tell them apart.
        return [.. files.Select((file, place) => $"{PlainName.Of(Path.GetFileName(file), "-._", '-').TrimStart('.')}-{place + 1}")];
    }

    static string Stem(string path) =>
        s_extensions.FirstOrDefault(e => path.EndsWith(e, StringComparison.OrdinalIgnoreCase)) is { } extension
            ? path[..^extension.Length]
            : path;
}
