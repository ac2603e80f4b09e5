using System.Threading.Channels;
using Taba.Grains.Ports;
using Taba.Grains.Stages;

namespace Taba.Silo.Workers;

/// <summary>Tells the worker of this silo that a part ended or that work may be there.</summary>
sealed class WorkSignal : IWorkSignal
{
    readonly Channel<EndedPart?> _events = Channel.CreateUnbounded<EndedPart?>(new() { SingleReader = true });

    public void PartEnded(PartAttempt attempt, RowSet published) => _events.Writer.TryWrite(new(attempt, published));

    public void WorkMayBeAvailable() => _events.Writer.TryWrite(null);

    /// <summary>Ended parts since the last call, after waiting for an event or the time.</summary>
    public async Task<IReadOnlyList<EndedPart>> WaitAsync(TimeSpan atMost, TimeProvider time, CancellationToken cancellationToken)
    {
        // The source's own timer, which may still fire while it is disposed.
        using var timeout = new CancellationTokenSource(atMost, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            await _events.Reader.WaitToReadAsync(either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // Nothing was said: look for work all the same.
        }
        var ended = new List<EndedPart>();
        while (_events.Reader.TryRead(out var part))
        {
            if (part is not null)
                ended.Add(part);
        }
        return ended;
    }
}

/// <summary>A part that this silo no longer works on.</summary>
sealed record EndedPart(PartAttempt Attempt, RowSet Published);
