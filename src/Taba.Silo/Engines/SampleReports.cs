using System.Collections.Concurrent;

namespace Taba.Silo.Engines;

/// <summary>The reports of samples that are on their way from the engines' threads to grains. Reports do not fail.</summary>
sealed class SampleReports
{
    readonly ConcurrentDictionary<Task, bool> _underWay = new();
    volatile bool _draining;

    /// <summary>The engines begin nothing more: nobody is asked for the next segment.</summary>
    public bool Draining => _draining;

    public void BeginDraining() => _draining = true;

    /// <summary>Remembers a report until it is done.</summary>
    public void Track(Task report)
    {
        if (report.IsCompleted)
            return;
        _underWay[report] = true;
        report.ContinueWith(
            static (done, reports) => ((ConcurrentDictionary<Task, bool>)reports!).TryRemove(done, out _), _underWay,
            CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    /// <summary>Completes when all that the engines said so far has reached those whom it concerns.</summary>
    public Task AllAsync() => Task.WhenAll(_underWay.Keys);
}
