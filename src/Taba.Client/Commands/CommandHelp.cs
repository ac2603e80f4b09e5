using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Taba.Client.Commands;

/// <summary>
/// A command's help: what it does, its words, its options in groups, each spelled once, and examples of its own that can be pasted.
/// </summary>
sealed class CommandHelp(IReadOnlyList<string> examples) : SynchronousCommandLineAction
{
    const int Indent = 2;
    const int WidestName = 34;
    const int Narrowest = 60;
    const int Widest = 110;

    public override bool ClearsParseErrors => true;

    public IReadOnlyList<string> Examples => examples;

    public override int Invoke(ParseResult parseResult)
    {
        Write(parseResult.CommandResult.Command, parseResult.InvocationConfiguration.Output);
        return ExitStatus.Done;
    }

    void Write(Command command, TextWriter output)
    {
        foreach (var line in Wrapped(command.Description ?? "", Width()))
            output.WriteLine(line);
        output.WriteLine();
        output.WriteLine($"Usage: {Usage(command)}");
        Section(output, "Commands", command.Subcommands.Where(c => !c.Hidden).Select(c => (c.Name, c.Description ?? "")));
        Section(output, "Words", command.Arguments.Where(a => !a.Hidden).Select(a => (a.Name, a.Description ?? "")));
        var options = command.Options.Where(o => !o.Hidden && o is not (HelpOption or VersionOption)).ToList();
        foreach (var (title, some) in HelpGroups.Of(options))
            Section(output, title, some.Select(o => (Spelled(o), Described(o))));
        if (options.Any(o => o.Name.Contains('_', StringComparison.Ordinal)))
        {
            output.WriteLine();
            output.WriteLine("Hyphens do as well as underscores in options: --num-processes.");
        }
        output.WriteLine();
        output.WriteLine("Examples:");
        foreach (var line in examples)
            output.WriteLine($"{new string(' ', Indent)}{line}");
    }

    static string Usage(Command command)
    {
        var words = command.Subcommands.Count > 0
            ? ["COMMAND"]
            : command.Arguments.Where(a => !a.Hidden).Select(a => a.Arity.MinimumNumberOfValues > 0
                ? $"{a.Name}{(a.Arity.MaximumNumberOfValues > 1 ? " ..." : "")}"
                : $"[{a.Name}{(a.Arity.MaximumNumberOfValues > 1 ? " ..." : "")}]");
        return string.Join(' ', [ParseComplaint.Name(command), .. words, "[options]"]);
    }

    static void Section(TextWriter output, string title, IEnumerable<(string Name, string Text)> rows)
    {
        var list = rows.ToList();
        if (list.Count == 0)
            return;
        output.WriteLine();
        output.WriteLine($"{title}:");
        var column = Math.Min(list.Max(r => r.Name.Length), WidestName) + Indent + 2;
        foreach (var (name, text) in list)
        {
            var lines = Wrapped(text, Math.Max(20, Width() - column));
            var begin = $"{new string(' ', Indent)}{name}";
            if (begin.Length > column - 2)
                output.WriteLine(begin);
            for (var i = 0; i < lines.Count; i++)
                output.WriteLine((i == 0 && begin.Length <= column - 2 ? begin : "").PadRight(column) + lines[i]);
        }
    }

    /// <summary>The option with its short form and what it takes.</summary>
    static string Spelled(Option option)
    {
        var shortForm = option.Aliases.FirstOrDefault(a => a.Length == 2);
        var name = shortForm is null ? option.Name : $"{shortForm}, {option.Name}";
        return option.ValueType == typeof(bool) ? name : $"{name} {Value(option)}";
    }

    static string Value(Option option)
    {
        if (option.HelpName is { } given)
            return given;
        var type = Nullable.GetUnderlyingType(option.ValueType) ?? option.ValueType;
        return type == typeof(int) || type == typeof(long) ? "N"
            : type == typeof(double) ? "X"
            : option.Name[(option.Name.LastIndexOfAny(['_', '-']) + 1)..].ToUpperInvariant();
    }

    static string Described(Option option)
    {
        var others = option.Aliases.Where(
            a => a.Length > 2 && !a[2..].Contains('-', StringComparison.Ordinal) && a != option.Name).ToList();
        var also = others.Count == 0 ? "" : $" Also {string.Join(", ", others)}.";
        var otherwise = option.HasDefaultValue && option.ValueType != typeof(bool) && option.GetDefaultValue() is { } value
            ? FormattableString.Invariant($" [{value}]")
            : "";
        return $"{option.Description}{also}{otherwise}";
    }

    static int Width() => Console.IsOutputRedirected ? Widest - 10 : Math.Clamp(Console.WindowWidth, Narrowest, Widest);

    static List<string> Wrapped(string text, int width)
    {
        var lines = new List<string> { "" };
        foreach (var word in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (lines[^1].Length > 0 && lines[^1].Length + 1 + word.Length > width)
                lines.Add("");
            lines[^1] += lines[^1].Length == 0 ? word : $" {word}";
        }
        return lines;
    }
}
