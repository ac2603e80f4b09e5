using System.Text.Json;

namespace Taba.Client;

/// <summary>The streams of a command: results go to standard output, progress and complaints to standard error.</summary>
sealed record Terminal
{
    /// <param name="output">Standard output.</param>
    /// <param name="error">Standard error.</param>
    /// <param name="errorIsLive">True when standard error is a terminal that can be redrawn.</param>
    /// <param name="time">The clock of rates and pauses.</param>
    /// <param name="command">The command as it was started; null for one of the path.</param>
    /// <param name="outputIsLive">True when standard output is a terminal.</param>
    public Terminal(
        TextWriter output, TextWriter error, bool errorIsLive, TimeProvider time, StartedCommand? command = null, bool outputIsLive = false)
    {
        Command = command ?? StartedCommand.OfPath;
        Output = new MessageWriter(output, Command, escapes: outputIsLive);
        Error = new MessageWriter(error, Command, escapes: true);
        (Screen, ErrorIsLive, Time, OutputIsLive) = (error, errorIsLive, time, outputIsLive);
    }

    public TextWriter Output { get; }

    public TextWriter Error { get; }

    /// <summary>Standard error for whoever draws on it, and sees to it that names do not.</summary>
    public TextWriter Screen { get; }

    public bool ErrorIsLive { get; }

    public bool OutputIsLive { get; }

    public TimeProvider Time { get; }

    public StartedCommand Command { get; }

    /// <summary>Every line is JSON.</summary>
    public bool Json { get; init; }

    /// <summary>Asked of the words themselves: those that cannot be parsed are complained of as JSON too.</summary>
    public static bool IsAskedForJson(IReadOnlyList<string> args)
    {
        const string Flag = "--json";
        var at = args.ToList().FindIndex(a => a == Flag || a.StartsWith(Flag + "=", StringComparison.Ordinal));
        return at >= 0 && (args[at] == Flag ? args.ElementAtOrDefault(at + 1) : args[at][(Flag.Length + 1)..]) != "false";
    }

    public static Terminal OfProcess(IReadOnlyList<string> args)
    {
        var isDumb = Environment.GetEnvironmentVariable("TERM") is "dumb";
        return new(
            Console.Out, Console.Error, !Console.IsErrorRedirected && !isDumb, TimeProvider.System, StartedCommand.OfProcess(args),
            !Console.IsOutputRedirected)
        {
            Json = IsAskedForJson(args),
        };
    }

    /// <summary>The last word of a command that is not done.</summary>
    /// <param name="trace">Of what goes wrong in Taba itself, where: the only thing that has lines.</param>
    public void Complain(int status, string message, string? trace = null)
    {
        if (Json)
        {
            var name = status == ExitStatus.Interrupted ? "interrupted" : "error";
            Event(new { @event = name, message = trace is null ? message : $"{message} {trace}", exit_status = status });
            return;
        }
        Error.WriteLine(message);
        if (trace is not null)
            Error.Write($"{trace}\n");
    }

    /// <summary>A sentence for people on standard error; for programs a note.</summary>
    public void Say(string sentence)
    {
        if (Json)
            Event(new { @event = "note", message = sentence });
        else
            Error.WriteLine(sentence);
    }

    /// <summary>An event for programs on standard error.</summary>
    public void Event<T>(T what) => Error.WriteLine(JsonSerializer.Serialize(what));
}
