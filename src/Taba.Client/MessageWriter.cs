using System.Text;
using System.Text.Json;
using Taba.Grains.Words;

namespace Taba.Client;

/// <summary>
/// A stream of a command: what is written in one call of <c>WriteLine</c> is one line, whatever names are in it, and hints begin with the
/// command as it was started.
/// </summary>
/// <param name="inner">Where it goes.</param>
/// <param name="command">The command.</param>
/// <param name="escapes">Whether what a terminal obeys is shown by its code. False leaves names as they are.</param>
sealed class MessageWriter(TextWriter inner, StartedCommand command, bool escapes) : TextWriter
{
    public override Encoding Encoding => inner.Encoding;

    public override void Write(char value) => Write($"{value}");

    public override void Write(char[] buffer, int index, int count) => Write(new string(buffer, index, count));

    public override void Write(string? value) => inner.Write(value is null ? null : Hinted(escapes ? Printable.Lines(value) : value));

    public override void WriteLine() => inner.WriteLine();

    public override void WriteLine(string? value) =>
        inner.WriteLine(value is null ? null : Hinted(escapes ? Printable.Line(value) : value));

    public override void Flush() => inner.Flush();

    /// <summary>A line of JSON takes the command as JSON has it.</summary>
    string Hinted(string text) =>
        command.InHints(text, text.StartsWith('{') ? prefix => JsonEncodedText.Encode(prefix).ToString() : prefix => prefix);
}
