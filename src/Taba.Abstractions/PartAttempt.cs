using System.Globalization;
using System.Text.RegularExpressions;
using Orleans;

namespace Taba;

/// <summary>One try at a part. The epoch rises with every lease of the stage; the id is unique.</summary>
[GenerateSerializer, Immutable, Alias("taba.PartAttempt")]
public readonly partial record struct PartAttempt(string StageKey, int RowStart, int Epoch, Guid Id)
{
    /// <summary>Key of the part's grain.</summary>
    public string PartKey => $"{StageKey}/{RowStart:D8}";

    /// <summary>Its name within its stage, for files: first row, epoch, id.</summary>
    public string Name => string.Create(CultureInfo.InvariantCulture, $"{RowStart:D8}-{Epoch}-{Id:N}");

    /// <summary>Reads <see cref="Name"/> back; null for any other text.</summary>
    public static PartAttempt? OfName(string stageKey, string name)
    {
        var match = NamePattern().Match(name);
        return match.Success
            && int.TryParse(match.Groups[1].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out var rowStart)
            && int.TryParse(match.Groups[2].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out var epoch)
            ? new PartAttempt(stageKey, rowStart, epoch, Guid.ParseExact(match.Groups[3].Value, "N"))
            : null;
    }

    public override string ToString() => $"{StageKey}/{RowStart:D8}@{Epoch}-{Id:N}";

    [GeneratedRegex(@"\A([0-9]{8,10})-([0-9]{1,10})-([0-9a-f]{32})\z")]
    private static partial Regex NamePattern();
}
