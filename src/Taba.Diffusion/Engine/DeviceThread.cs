using System.Collections.Concurrent;
using TorchSharp;

namespace Taba.Diffusion.Engine;

/// <summary>
/// A thread of its own for device work that is not denoising: autoencoders and text encoders. Work runs one piece after the
/// other, in inference mode; whoever asks waits without blocking a thread.
/// </summary>
public sealed class DeviceThread : IAsyncDisposable
{
    readonly BlockingCollection<Action> _work = [];
    readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public DeviceThread(string name) => new Thread(Run) { IsBackground = true, Name = name }.Start();

    /// <summary>Pieces of work that wait.</summary>
    public int Count => _work.Count;

    /// <summary>Runs <paramref name="work"/> on the thread. What it returns must be no tensor of a scope that it closed.</summary>
    /// <exception cref="OperationCanceledException">Cancelled before its turn came.</exception>
    /// <exception cref="ObjectDisposedException">The thread has ended.</exception>
    public Task<T> RunAsync<T>(Func<T> work, CancellationToken cancellationToken)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        try
        {
            _work.Add(
                () =>
                {
                    if (cancellationToken.IsCancellationRequested)
                    {
                        done.TrySetCanceled(cancellationToken);
                        return;
                    }
                    try
                    {
                        done.SetResult(work());
                    }
                    catch (Exception error)
                    {
                        done.SetException(error);
                    }
                },
                CancellationToken.None);
        }
        catch (InvalidOperationException)
        {
            throw new ObjectDisposedException(nameof(DeviceThread));
        }
        return done.Task;
    }

    /// <summary>Ends the thread when what waits is done.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_work.IsAddingCompleted)
            _work.CompleteAdding();
        await _ended.Task;
        _work.Dispose();
    }

    void Run()
    {
        using (torch.inference_mode())
        {
            foreach (var work in _work.GetConsumingEnumerable())
                work();
        }
        _ended.SetResult();
    }
}
