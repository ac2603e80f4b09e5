using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Taba.Diffusion.Conditions;

/// <summary>Finds the parquet files of a dataset's train split, in their order, complete.</summary>
static partial class DatasetFiles
{
    const int MaxReference = 4096;

    /// <summary>
    /// The files that a path means: a file itself; of a folder its <c>train-*.parquet</c>, or those of its folder <c>data</c>; of a
    /// dataset's folder in the Hugging Face cache (which has <c>snapshots</c>) those of the revision of <c>refs/main</c>, or of the
    /// only one.
    /// </summary>
    /// <exception cref="InvalidDataException">There are none, or not all of them.</exception>
    /// <exception cref="IOException">The path does not exist.</exception>
    internal static IReadOnlyList<string> Find(string path)
    {
        if (File.Exists(path))
            return [path];
        if (!Directory.Exists(path))
            throw new FileNotFoundException($"{path} does not exist; a parquet file or a folder with train-*.parquet is expected.", path);

        var snapshots = Path.Combine(path, "snapshots");
        var root = Directory.Exists(snapshots) ? Snapshot(path, snapshots) : path;
        foreach (var folder in new[] { root, Path.Combine(root, "data") }.Where(Directory.Exists))
        {
            var files = Directory.EnumerateFiles(folder, "train-*.parquet").Order(NaturalOrder.Instance).ToList();
            if (files.Count > 0)
                return Complete(files, folder);
        }

        throw new InvalidDataException($"{path} holds no train-*.parquet, nor does its folder data.");
    }

    static string Snapshot(string path, string snapshots)
    {
        var main = Path.Combine(path, "refs", "main");
        if (File.Exists(main))
        {
            var revision = Encoding.Latin1.GetString(InputFile.Read(main, MaxReference, "the name of a revision")).Trim();
            if (revision is "." or ".." || !revision.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.'))
                throw new InvalidDataException($"{main} names no revision.");
            var folder = Path.Combine(snapshots, revision);
            return Directory.Exists(folder) ? folder
                : throw new InvalidDataException($"{main} names the revision {revision}, which is not in {snapshots}.");
        }

        var folders = Directory.GetDirectories(snapshots);
        return folders.Length == 1
            ? folders[0]
            : throw new InvalidDataException(
                $"{snapshots} holds {folders.Length} revisions and there is no refs/main; name the folder of one.");
    }

    /// <summary>A dataset that lacks a file would give other prompts under the same seed.</summary>
    static List<string> Complete(List<string> files, string folder)
    {
        var numbers = files.Select(file => NumberOfTotal().Match(Path.GetFileName(file))).ToList();
        if (numbers.All(match => !match.Success))
            return files;

        var total = numbers[0].Success ? numbers[0].Groups[2].Value : "";
        for (var i = 0; i < numbers.Count; i++)
        {
            if (!numbers[i].Success || numbers[i].Groups[2].Value != total || Number(numbers[i].Groups[1].Value) != i)
                throw new InvalidDataException(
                    $"{folder}: {Path.GetFileName(files[i])} is not file {i} of one set; files are missing, or those of several sets "
                    + "lie together.");
        }

        return Number(total) == files.Count
            ? files
            : throw new InvalidDataException(
                $"{folder} holds {files.Count} of the {Number(total)} files of the dataset; fetch the others.");
    }

    static long Number(string digits) => long.Parse(digits, NumberStyles.None, CultureInfo.InvariantCulture);

    [GeneratedRegex("-([0-9]{1,9})-of-([0-9]{1,9})(?:-|\\.parquet$)", RegexOptions.CultureInvariant)]
    private static partial Regex NumberOfTotal();
}
