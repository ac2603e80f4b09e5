using System.Threading.Channels;
using Taba.Grains.Ports;
using Taba.Grains.Stages;

namespace Taba.Silo.Workers;

/// <summary>Tells the worker of this silo that a part ended.</summary>
sealed class WorkSignal : IWorkSignal
{
    readonly Channel<EndedPart?> _events = Channel.CreateUnbounded<EndedPart?>(new() { SingleReader = true });

    public void PartEnded(PartAttempt attempt, RowSet published) => _events.Writer.TryWrite(new(attempt, published));

    public void Wake() => _events.Writer.TryWrite(null);

    /// <summary>Ended parts since the last call, as soon as there are some, or a time is over.</summary>
    public async Task<IReadOnlyList<EndedPart>> WaitAsync(TimeSpan atMost, TimeProvider time, CancellationToken cancellationToken)
    {
        // The source's own timer, which may still fire while it is disposed.
        using var timeout = new CancellationTokenSource(atMost, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        await SomethingAsync(either.Token);
        cancellationToken.ThrowIfCancellationRequested();
        return Take();
    }

    /// <summary>Ended parts since the last call, as soon as there are some, or something else has ended.</summary>
    /// <param name="orUntil">What else is waited for; how it ends does not matter.</param>
    public async Task<IReadOnlyList<EndedPart>> WaitAsync(Task orUntil, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var something = SomethingAsync(stop.Token);
        await Task.WhenAny(something, orUntil);
        stop.Cancel();
        await something;
        cancellationToken.ThrowIfCancellationRequested();
        return Take();
    }

    async Task SomethingAsync(CancellationToken cancellationToken)
    {
        try
        {
            // Not as a task, which goes on wherever the channel was written.
            await _events.Reader.WaitToReadAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // The time is over, or something else has ended.
        }
    }

    List<EndedPart> Take()
    {
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
