using System.Globalization;
using System.Text;

namespace Taba.Client;

/// <summary>Command lines of this process and the one that started it, where the operating system shows them (Linux).</summary>
static class ProcessLines
{
    const string ParentField = "PPid:";

    public static IReadOnlyList<string>? Own() => Of("self");

    public static IReadOnlyList<string>? Parent() =>
        Read("/proc/self/status")?.Split('\n').FirstOrDefault(l => l.StartsWith(ParentField, StringComparison.Ordinal)) is { } line
        && int.TryParse(line.AsSpan(ParentField.Length).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var parent)
            ? Of($"{parent}")
            : null;

    static string[]? Of(string process) =>
        // An end of its own follows the last argument, which may be empty.
        Read($"/proc/{process}/cmdline") is { Length: > 0 } text ? text[..^1].Split('\0') : null;

    static string? Read(string path)
    {
        try
        {
            return Encoding.UTF8.GetString(File.ReadAllBytes(path));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
