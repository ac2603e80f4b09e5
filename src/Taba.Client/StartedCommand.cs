using System.Text.RegularExpressions;

namespace Taba.Client;

/// <summary>
/// The command as the user started it, so that hints can be typed as they are printed: <c>taba</c> from the path, a path, or
/// <c>dotnet run --project ... --</c>.
/// </summary>
sealed partial class StartedCommand
{
    const string Name = "taba";

    readonly string _prefix;

    StartedCommand(string prefix) => _prefix = prefix;

    /// <summary>A command of the path.</summary>
    public static StartedCommand OfPath { get; } = new(Name);

    /// <summary>The command of this process, as far as the operating system tells.</summary>
    /// <param name="args">What came after it.</param>
    public static StartedCommand OfProcess(IReadOnlyList<string> args)
    {
        // In a container nobody typed the path of the first process.
        if (Environment.ProcessId == 1)
            return OfPath;
        return Of(args, ProcessLines.Own() ?? [Environment.ProcessPath ?? Name, .. args], ProcessLines.Parent() ?? []);
    }

    /// <param name="args">The arguments.</param>
    /// <param name="own">The whole command line of the process.</param>
    /// <param name="parent">That of the process which started it; empty when it is not known.</param>
    public static StartedCommand Of(IReadOnlyList<string> args, IReadOnlyList<string> own, IReadOnlyList<string> parent)
    {
        if (Before(args, parent) is ["dotnet", "run", ..] running)
            return new(Quoted(running[^1] == "--" ? running : [.. running, "--"]));
        return Before(args, own) is { Count: > 0 } started ? new(Quoted(started)) : OfPath;
    }

    /// <summary>A command line as it can be typed again.</summary>
    public string Line(IEnumerable<string> args) => string.Join(' ', args.Select(Quote).Prepend(_prefix));

    /// <summary>A text in which every command begins as this one did.</summary>
    /// <param name="encode">How the text spells what is put into it.</param>
    public string InHints(string text, Func<string, string> encode) =>
        _prefix == Name || !text.Contains(Name, StringComparison.Ordinal) ? text : Hint().Replace(text, _ => encode(_prefix));

    /// <summary>What stands before the arguments; null when the line does not end with them.</summary>
    static IReadOnlyList<string>? Before(IReadOnlyList<string> args, IReadOnlyList<string> line)
    {
        var count = line.Count - args.Count;
        return count > 0 && line.Skip(count).SequenceEqual(args) ? [.. line.Take(count)] : null;
    }

    static string Quoted(IEnumerable<string> words) => string.Join(' ', words.Select(Quote));

    static string Quote(string argument) =>
        argument.Length > 0 && argument.All(c => char.IsAsciiLetterOrDigit(c) || "-_./=:,+@%".Contains(c, StringComparison.Ordinal))
            ? argument
            : $"'{argument.Replace("'", "'\\''", StringComparison.Ordinal)}'";

    /// <summary>The word where a command of it follows.</summary>
    [GeneratedRegex(
        @"(?<![^\s'""`(])taba(?= (?:run|plan|sample|swap|forward|measure|merge|export|report|compare|bench|models|store|cluster|"
        + @"doctor|list|status|watch|logs|pause|resume|cancel|retry|completion|COMMAND)\b| --)")]
    private static partial Regex Hint();
}
