namespace Taba.Grains.Models;

/// <summary>An engine of a silo.</summary>
/// <param name="Device">The device's name on its silo: cpu, cpu:1, cuda:0.</param>
/// <param name="Engine">Model, precisions and batch shape (<see cref="StageEngine"/>).</param>
[GenerateSerializer, Immutable, Alias("taba.ModelAddress")]
public readonly record struct ModelAddress(string Device, string Engine)
{
    /// <summary>Reads what <see cref="ToString"/> wrote.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    public static ModelAddress Parse(string text) => text.IndexOf('|', StringComparison.Ordinal) is var at and > 0
        ? new(text[..at], text[(at + 1)..])
        : throw new FormatException($"'{text}' names no device and engine.");

    public override string ToString() => $"{Device}|{Engine}";
}
