using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Taba.Grains.Stages;

namespace Taba.Silo.Storage;

/// <summary>Names of everything in a store folder, and the checks that keep names from a file inside it.</summary>
sealed partial class StorePaths(string root)
{
    /// <summary>Suffix of tensor objects.</summary>
    public const string ObjectSuffix = ".safetensors";

    public string Root { get; } = Path.TrimEndingDirectorySeparator(Path.GetFullPath(root));

    public string Stages => Path.Combine(Root, "store");

    public string Scratch => Path.Combine(Root, "scratch");

    public string Stage(string stageKey) => Path.Combine(Stages, CheckedKey(stageKey));

    public string StageDescription(string stageKey) => Path.Combine(Stage(stageKey), "stage.json");

    public string StageLock(string stageKey) => Path.Combine(Stage(stageKey), "lock");

    /// <summary>Rows whose manifests share a folder: of 10^5 parts a publisher reads the names of 128.</summary>
    public const int GroupRows = 4096;

    public string Parts(string stageKey) => Path.Combine(Stage(stageKey), "parts");

    /// <summary>The folder of the manifests of rows [n·<see cref="GroupRows"/>, (n+1)·<see cref="GroupRows"/>).</summary>
    public string PartsGroup(string stageKey, int rowStart) =>
        Path.Combine(Parts(stageKey), (rowStart / GroupRows * (long)GroupRows).ToString("D8", CultureInfo.InvariantCulture));

    public string Objects(string stageKey) => Path.Combine(Stage(stageKey), "objects");

    public string ObjectsOf(PartAttempt attempt) => Path.Combine(Objects(attempt.StageKey), AttemptName(attempt));

    public string ScratchOf(PartAttempt attempt) => Path.Combine(Scratch, $"{CheckedKey(attempt.StageKey)}-{AttemptName(attempt)}");

    public static string ObjectFile(string objectName)
    {
        if (!ObjectName().IsMatch(objectName))
            throw new ArgumentException(
                $"'{objectName}' is not an object's name: small letters, digits and underscores are, without an extension.",
                nameof(objectName));
        return objectName + ObjectSuffix;
    }

    /// <summary>The path within the store of an attempt's object, with slashes on every system.</summary>
    public static string ObjectPath(PartAttempt attempt, string objectName) =>
        $"store/{CheckedKey(attempt.StageKey)}/objects/{AttemptName(attempt)}/{ObjectFile(objectName)}";

    /// <summary>The names of stages in a container begin with it.</summary>
    public const string StagesPrefix = "store/";

    /// <summary>Names of a stage in a container begin with it.</summary>
    public static string StagePrefix(string stageKey) => $"{StagesPrefix}{CheckedKey(stageKey)}/";

    /// <summary>Names of an attempt's objects begin with it.</summary>
    public static string ObjectsPrefix(PartAttempt attempt) => $"{StagePrefix(attempt.StageKey)}objects/{AttemptName(attempt)}/";

    /// <summary>Names of a stage's cells begin with it.</summary>
    public static string CellsPrefix(string stageKey) => $"{StagePrefix(stageKey)}cells/";

    /// <summary>The blob with the manifests of a cell.</summary>
    public static string CellPath(string stageKey, int start) =>
        string.Create(CultureInfo.InvariantCulture, $"{CellsPrefix(stageKey)}{start:D8}.json");

    /// <summary>The blob that describes a stage.</summary>
    public static string DescriptionPath(string stageKey) => $"{StagePrefix(stageKey)}stage.json";

    /// <summary>The file of a path that came out of a manifest, or null when such a path cannot be one of ours.</summary>
    public string? Resolve(string objectPath) =>
        StoredPath().IsMatch(objectPath) ? Path.Combine(Root, objectPath.Replace('/', Path.DirectorySeparatorChar)) : null;

    /// <summary>File name of a manifest: its first row, and for a supplement what it keeps.</summary>
    public static string ManifestName(PartManifest manifest) =>
        manifest.Supplement ? $"{manifest.RowStart:D8}+{KeptDigest(manifest)}.json" : $"{manifest.RowStart:D8}.json";

    /// <summary>Names what a supplement keeps; empty for a primary manifest.</summary>
    public static string KeptDigest(PartManifest manifest) => manifest.Supplement ? KeptDigest(manifest.Kept) : "";

    /// <summary>Reads a manifest's file name; false for any other file.</summary>
    public static bool TryParseManifestName(string name, out int rowStart, out string kept)
    {
        var match = ManifestFile().Match(name);
        rowStart = 0;
        kept = match.Groups["kept"].Value;
        return match.Success && int.TryParse(match.Groups["row"].Value, NumberStyles.None, CultureInfo.InvariantCulture, out rowStart);
    }

    /// <summary>True when a folder's name can be a stage's.</summary>
    public static bool IsKey(string name) => Key().IsMatch(name);

    static string AttemptName(PartAttempt attempt) =>
        string.Create(CultureInfo.InvariantCulture, $"{attempt.RowStart:D8}-{attempt.Epoch}-{attempt.Id:N}");

    static string KeptDigest(CaptureSelection kept)
    {
        var text = $"{string.Join(',', kept.State)};{string.Join(',', kept.Eps)};{string.Join(',', kept.PredXstart)}";
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..16];
    }

    static string CheckedKey(string stageKey) => IsKey(stageKey)
        ? stageKey
        : throw new ArgumentException($"'{stageKey}' is not a stage's key: 1 to 64 of the digits 0-9a-f are.", nameof(stageKey));

    [GeneratedRegex(@"\A[0-9a-f]{1,64}\z")]
    private static partial Regex Key();

    [GeneratedRegex(@"\A[a-z0-9_]{1,64}\z")]
    private static partial Regex ObjectName();

    [GeneratedRegex(@"\Astore/[0-9a-f]{1,64}/objects/[0-9]{8,10}-[0-9]{1,10}-[0-9a-f]{32}/[a-z0-9_]{1,64}\.safetensors\z")]
    private static partial Regex StoredPath();

    [GeneratedRegex(@"\A(?<row>[0-9]{8,10})(?:\+(?<kept>[0-9a-f]{16}))?\.json\z")]
    private static partial Regex ManifestFile();
}
