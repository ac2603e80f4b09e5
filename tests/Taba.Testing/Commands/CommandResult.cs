using System.Text.RegularExpressions;

namespace Taba.Testing.Commands;

/// <summary>A command did not end as a test requires.</summary>
public sealed class CommandException(string message) : Exception(message);

/// <summary>The end of a command, and what it said.</summary>
/// <param name="Command">The command, for messages.</param>
/// <param name="Status">The exit status.</param>
/// <param name="Output">Standard output.</param>
/// <param name="Errors">Standard error.</param>
public sealed partial record CommandResult(string Command, int Status, string Output, string Errors)
{
    /// <summary>The last line on standard error: a command says there how it ended.</summary>
    public string LastWord => Errors.TrimEnd().Split('\n')[^1].Trim();

    /// <summary>The last line on standard output, such as the summary of a run with --json.</summary>
    public string LastLine => Output.TrimEnd().Split('\n')[^1].Trim();

    /// <summary>Requires this exit status, and that the command explains itself in sentences.</summary>
    /// <exception cref="CommandException">It ended otherwise; the message holds all that it said.</exception>
    public CommandResult ShouldEnd(int status)
    {
        if (Status != status)
            throw Otherwise($"ended with {Status}, not {status}");
        if (Errors.Contains("fault of taba itself", StringComparison.Ordinal))
            throw Otherwise("ended by a fault of its own");
        // A sentence ends a command, not a stack trace.
        if (StackFrame().IsMatch(Errors))
            throw Otherwise("shows a stack trace");
        return this;
    }

    CommandException Otherwise(string how) => new($"{Command} {how}.\nStandard error:\n{Errors}\nStandard output:\n{Output}");

    [GeneratedRegex(@"^\s+at \S+\(", RegexOptions.Multiline)]
    private static partial Regex StackFrame();
}
