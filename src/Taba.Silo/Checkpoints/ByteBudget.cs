namespace Taba.Silo.Checkpoints;

/// <summary>
/// Bounds the bytes in a queue. Takers are served in order of arrival; one that is larger than the whole budget is let in
/// when nothing else is there.
/// </summary>
sealed class ByteBudget(long limit)
{
    readonly Lock _gate = new();
    readonly LinkedList<(long Bytes, TaskCompletionSource Taken)> _waiting = [];
    long _used;

    /// <summary>Completes at once while there is room.</summary>
    public ValueTask TakeAsync(long bytes, CancellationToken cancellationToken)
    {
        LinkedListNode<(long Bytes, TaskCompletionSource Taken)> node;
        lock (_gate)
        {
            if (_waiting.Count == 0 && Fits(bytes))
            {
                _used += bytes;
                return ValueTask.CompletedTask;
            }
            node = _waiting.AddLast((bytes, new(TaskCreationOptions.RunContinuationsAsynchronously)));
        }
        return new(WaitAsync(node, cancellationToken));
    }

    /// <summary>Gives bytes back and lets in who fits.</summary>
    public void Return(long bytes)
    {
        lock (_gate)
        {
            _used -= bytes;
            Admit();
        }
    }

    async Task WaitAsync(LinkedListNode<(long Bytes, TaskCompletionSource Taken)> node, CancellationToken cancellationToken)
    {
        await using var registration = cancellationToken.UnsafeRegister(_ =>
        {
            lock (_gate)
            {
                // Not in the list any more: it was let in first.
                if (node.List is null)
                    return;
                _waiting.Remove(node);
                Admit();
            }
            node.Value.Taken.TrySetCanceled(cancellationToken);
        }, null);
        await node.Value.Taken.Task;
    }

    void Admit()
    {
        while (_waiting.First is { } first && Fits(first.Value.Bytes))
        {
            _waiting.RemoveFirst();
            _used += first.Value.Bytes;
            first.Value.Taken.TrySetResult();
        }
    }

    bool Fits(long bytes) => _used == 0 || _used + bytes <= limit;
}
