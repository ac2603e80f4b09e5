namespace Taba.Client.Commands;

/// <summary>A command line as it can be typed again.</summary>
static class CommandLineText
{
    public static string Of(IEnumerable<string> args) => string.Join(' ', args.Select(Quote).Prepend("taba"));

    static string Quote(string argument) =>
        argument.Length > 0 && argument.All(c => char.IsAsciiLetterOrDigit(c) || "-_./=:,+@%".Contains(c, StringComparison.Ordinal))
            ? argument
            : $"'{argument.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
