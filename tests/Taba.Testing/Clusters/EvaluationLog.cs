using System.Diagnostics;
using System.Globalization;

namespace Taba.Testing.Clusters;

/// <summary>One network evaluation, written down by its silo just before it was made.</summary>
/// <param name="At">When it was seen here; a few milliseconds late.</param>
public readonly record struct SeenEvaluation(string Silo, string Stage, int Sample, int Step, TimeSpan At);

/// <summary>Follows the journals of all silos while they are written.</summary>
public sealed class EvaluationLog : IAsyncDisposable
{
    /// <summary>The time between two looks at the journals.</summary>
    public static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(20);

    readonly string _folder;
    readonly Stopwatch _clock = Stopwatch.StartNew();
    readonly List<SeenEvaluation> _seen = [];
    readonly Dictionary<string, long> _read = [];
    readonly CancellationTokenSource _stop = new();
    readonly Task _following;

    /// <param name="folder">Where each silo writes a file <c>NAME.journal</c>.</param>
    public EvaluationLog(string folder)
    {
        _folder = folder;
        _following = Task.Run(FollowAsync);
    }

    public TimeSpan Now => _clock.Elapsed;

    public IReadOnlyList<SeenEvaluation> Seen
    {
        get
        {
            lock (_seen)
                return [.. _seen];
        }
    }

    public int Count
    {
        get
        {
            lock (_seen)
                return _seen.Count;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _following;
        _stop.Dispose();
    }

    async Task FollowAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            Look();
            await Task.Delay(LookEvery);
        }
        Look();
    }

    void Look()
    {
        foreach (var file in Directory.GetFiles(_folder, "*.journal"))
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            stream.Position = _read.GetValueOrDefault(file);
            var bytes = new byte[stream.Length - stream.Position];
            stream.ReadExactly(bytes);
            var end = Array.LastIndexOf(bytes, (byte)'\n') + 1;
            _read[file] = _read.GetValueOrDefault(file) + end;
            var silo = Path.GetFileNameWithoutExtension(file);
            lock (_seen)
            {
                foreach (var line in System.Text.Encoding.ASCII.GetString(bytes, 0, end).Split('\n', StringSplitOptions.RemoveEmptyEntries))
                {
                    var words = line.Split(' ');
                    // A kill may tear a line, and the silo's next life goes on behind it.
                    if (words.Length == 3 && int.TryParse(words[1], CultureInfo.InvariantCulture, out var sample) && int.TryParse(
                        words[2], CultureInfo.InvariantCulture, out var step))
                        _seen.Add(new(silo, words[0], sample, step, _clock.Elapsed));
                }
            }
        }
    }
}
