using System.Runtime.InteropServices;
using System.Text;

namespace Taba.Client;

/// <summary>
/// Standard output and error that cannot end a command: its log may be on a full disk, its terminal may be gone, or it was started with
/// them closed. Results are in files, and the work goes on.
/// </summary>
static partial class StandardStreams
{
    const int GetDescriptorFlags = 1, ReadWrite = 2;

    /// <summary>Puts both in the place of the console's. Called before anything else is opened.</summary>
    public static (ForgivingWriter Output, ForgivingWriter Error) Secure()
    {
        // A descriptor that is closed would be the next file's, and what is meant for people would be written into that file.
        for (var descriptor = 0; OperatingSystem.IsLinux() && descriptor <= 2; descriptor++)
        {
            if (Control(descriptor, GetDescriptorFlags) < 0)
                _ = Open("/dev/null", ReadWrite);
        }
        var (output, error) = (new ForgivingWriter(Console.Out), new ForgivingWriter(Console.Error));
        Console.SetOut(output);
        Console.SetError(error);
        return (output, error);
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
