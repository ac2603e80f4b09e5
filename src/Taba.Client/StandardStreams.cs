using System.Runtime.InteropServices;
using System.Text;

namespace Taba.Client;

/// <summary>
/// Standard output and error that cannot end a command: its log may be on a full disk, its terminal may be gone, or it was started with
/// them closed. Results are in files, and the work goes on.
/// </summary>
static partial class StandardStreams
{
    const int GetFlags = 3, AccessMode = 3, ReadOnly = 0, ReadWrite = 2;

    /// <summary>Puts both in the place of the console's. Called before anything else is opened.</summary>
    public static (ForgivingWriter Output, ForgivingWriter Error) Secure()
    {
        var (output, error) = (new ForgivingWriter(Writer(1, () => Console.Out)), new ForgivingWriter(Writer(2, () => Console.Error)));
        Console.SetOut(output);
        Console.SetError(error);
        return (output, error);
    }

    static TextWriter Writer(int descriptor, Func<TextWriter> ofConsole)
    {
        if (!OperatingSystem.IsLinux())
            return ofConsole();
        // A descriptor that is closed would be the next file's, and what is meant for people would be written into that file.
        if (Control(descriptor, GetFlags) < 0)
            _ = Open("/dev/null", ReadWrite);
        return IsForUs(descriptor) ? ofConsole() : TextWriter.Null;
    }

    /// <summary>
    /// False where the descriptor was closed when the process began, and the runtime has got it for a file or a pipe of its own since.
    /// </summary>
    static bool IsForUs(int descriptor)
    {
        if (IsReadOnly(descriptor))
            return false;
        var target = Target($"/proc/self/fd/{descriptor}");
        return target?.StartsWith("pipe:", StringComparison.Ordinal) != true
            || !Directory.EnumerateFiles("/proc/self/fd").Any(other => Target(other) == target
                && int.TryParse(Path.GetFileName(other), out var number) && IsReadOnly(number));
    }

    static bool IsReadOnly(int descriptor) => Control(descriptor, GetFlags) is >= 0 and var flags && (flags & AccessMode) == ReadOnly;

    /// <summary>The other end of a link; null when it cannot be read.</summary>
    static string? Target(string link)
    {
        try
        {
            return new FileInfo(link).LinkTarget;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    [LibraryImport("libc", EntryPoint = "fcntl")]
    private static partial int Control(int descriptor, int command);

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);
}

/// <summary>Writes until that fails, and from then on nowhere. Safe for several threads.</summary>
sealed class ForgivingWriter(TextWriter inner) : TextWriter
{
    readonly Lock _lock = new();
    volatile Exception? _failure;

    /// <summary>Why nothing is written any more; null while all was.</summary>
    public Exception? Failure => _failure;

    public override Encoding Encoding => inner.Encoding;

    public override void Write(char value) => Try(() => inner.Write(value));

    public override void Write(char[] buffer, int index, int count) => Try(() => inner.Write(buffer, index, count));

    public override void Write(string? value) => Try(() => inner.Write(value));

    public override void WriteLine() => Try(inner.WriteLine);

    public override void WriteLine(string? value) => Try(() => inner.WriteLine(value));

    public override void Flush() => Try(inner.Flush);

    void Try(Action write)
    {
        if (_failure is not null)
            return;
        lock (_lock)
        {
            try
            {
                write();
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ObjectDisposedException)
            {
                _failure = exception;
            }
        }
    }
}
