namespace Taba.Bench;

/// <summary>Samples this process's anonymous memory: the garbage collector's and libtorch's, without mapped files.</summary>
sealed class AnonymousPeak : IDisposable
{
    static readonly TimeSpan s_every = TimeSpan.FromMilliseconds(10);

    readonly Timer _timer;
    long _most;

    public AnonymousPeak() => _timer = new Timer(_ => Look(), null, s_every, s_every);

    /// <summary>The most since the last call, in bytes.</summary>
    public long Take()
    {
        Look();
        return Interlocked.Exchange(ref _most, 0);
    }

    /// <summary>A process's anonymous memory now, in bytes; 0 when it has ended.</summary>
    public static long Of(string process)
    {
        try
        {
            var line = File.ReadLines($"/proc/{process}/status").FirstOrDefault(l => l.StartsWith("RssAnon:", StringComparison.Ordinal));
            return line is null ? 0 : 1024 * long.Parse(line.AsSpan("RssAnon:".Length).TrimEnd("kB").Trim());
        }
        catch (IOException)
        {
            return 0;
        }
    }

    public void Dispose() => _timer.Dispose();

    void Look()
    {
        var now = Of("self");
        for (var seen = Volatile.Read(ref _most); now > seen; seen = Volatile.Read(ref _most))
            Interlocked.CompareExchange(ref _most, now, seen);
    }
}
