namespace Taba.Client;

/// <summary>The streams of a command: results go to standard output, progress and complaints to standard error.</summary>
/// <param name="Output">Standard output.</param>
/// <param name="Error">Standard error.</param>
/// <param name="ErrorIsLive">True when standard error is a terminal that can be redrawn.</param>
/// <param name="Time">The clock of rates and pauses.</param>
sealed record Terminal(TextWriter Output, TextWriter Error, bool ErrorIsLive, TimeProvider Time)
{
    public static Terminal OfProcess() =>
        new(Console.Out, Console.Error, !Console.IsErrorRedirected
            && Environment.GetEnvironmentVariable("TERM") is not "dumb", TimeProvider.System);
}
