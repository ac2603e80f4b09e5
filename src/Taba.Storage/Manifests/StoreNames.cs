using System.Globalization;
using System.Text.RegularExpressions;

namespace Taba.Storage.Manifests;

/// <summary>Names of everything in a tensor store, and the checks that keep names from a document inside it.</summary>
static partial class StoreNames
{
    /// <summary>Suffix of tensor objects.</summary>
    public const string ObjectSuffix = ".safetensors";

    /// <summary>Says which layout a store has.</summary>
    public const string Layout = "layout.json";

    /// <summary>Names of stages begin with it.</summary>
    public const string Stages = "stages/";

    /// <summary>Where stages were in the layout before versions of cells.</summary>
    public const string OldStages = "store/";

    /// <summary>Names of a stage begin with it.</summary>
    public static string Stage(string stageKey) => $"{Stages}{CheckedKey(stageKey)}/";

    /// <summary>What a stage is, for people.</summary>
    public static string Description(string stageKey) => $"{Stage(stageKey)}stage.json";

    /// <summary>Names of a stage's cells begin with it.</summary>
    public static string Cells(string stageKey) => $"{Stage(stageKey)}cells/";

    /// <summary>Names of a cell's versions begin with it.</summary>
    public static string Cell(string stageKey, int start) => string.Create(CultureInfo.InvariantCulture, $"{Cells(stageKey)}{start:D10}/");

    /// <summary>A version of a cell: creating it is the compare and swap.</summary>
    public static string Version(string stageKey, int start, int version) =>
        string.Create(CultureInfo.InvariantCulture, $"{Cell(stageKey, start)}v{version:D8}.json");

    /// <summary>Reads the name of a version of one of a stage's cells; false for any other name below <see cref="Cells"/>.</summary>
    public static bool TryParseVersion(string stageKey, string name, out int start, out int version)
    {
        var match = VersionName().Match(name[Cells(stageKey).Length..]);
        version = 0;
        return int.TryParse(match.Groups[1].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out start)
            && int.TryParse(match.Groups[2].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out version)
            && start % CellGrid.Rows == 0;
    }

    /// <summary>Names of a stage's objects begin with it.</summary>
    public static string Objects(string stageKey) => $"{Stage(stageKey)}objects/";

    /// <summary>Names of an attempt's objects begin with it.</summary>
    public static string ObjectsOf(PartAttempt attempt) => $"{Objects(attempt.StageKey)}{attempt.Name}/";

    /// <summary>An object of an attempt.</summary>
    public static string Object(PartAttempt attempt, string objectName) => $"{ObjectsOf(attempt)}{ObjectFile(objectName)}";

    /// <summary>Names of a stage's checkpoints begin with it.</summary>
    public static string Checkpoints(string stageKey) => $"{Stage(stageKey)}checkpoints/";

    /// <summary>The checkpoint of an attempt's part.</summary>
    public static string Checkpoint(PartAttempt attempt) => $"{Checkpoints(attempt.StageKey)}{attempt.Name}";

    /// <summary>The file of an object by its name.</summary>
    /// <exception cref="ArgumentException">It cannot be an object's name.</exception>
    public static string ObjectFile(string objectName) => ObjectName().IsMatch(objectName)
        ? objectName + ObjectSuffix
        : throw new ArgumentException(
            $"'{objectName}' is not an object's name: small letters, digits and underscores are, without an extension.",
            nameof(objectName));

    /// <summary>The attempt that wrote an object; null when the path is not that of an object.</summary>
    public static PartAttempt? AttemptOf(string objectPath)
    {
        var match = ObjectPath().Match(objectPath);
        return match.Success ? PartAttempt.OfName(match.Groups[1].Value, match.Groups[2].Value) : null;
    }

    /// <summary>True when a folder's name can be a stage's.</summary>
    public static bool IsKey(string name) => Key().IsMatch(name);

    /// <summary>The key itself.</summary>
    /// <exception cref="ArgumentException">It cannot be one.</exception>
    public static string CheckedKey(string stageKey) => IsKey(stageKey)
        ? stageKey
        : throw new ArgumentException($"'{stageKey}' is not a stage's key: 1 to 64 of the digits 0-9a-f are.", nameof(stageKey));

    [GeneratedRegex(@"\A[0-9a-f]{1,64}\z")]
    private static partial Regex Key();

    [GeneratedRegex(@"\A[a-z0-9_]{1,64}\z")]
    private static partial Regex ObjectName();

    [GeneratedRegex(@"\Astages/([0-9a-f]{1,64})/objects/([0-9]{8,10}-[0-9]{1,10}-[0-9a-f]{32})/[a-z0-9_]{1,64}\.safetensors\z")]
    private static partial Regex ObjectPath();

    [GeneratedRegex(@"\A([0-9]{10})/v([0-9]{8})\.json\z")]
    private static partial Regex VersionName();
}
