using TorchSharp;

namespace Taba.Diffusion.Engine;

/// <summary>
/// A thread of its own for device work that is not denoising: autoencoders and text encoders. Work runs one piece after the
/// other, in inference mode; whoever asks waits without blocking a thread.
/// </summary>
public sealed class DeviceThread(string name) : IAsyncDisposable
{
    readonly WorkThread<Action> _thread = new(name, pieces =>
    {
        using var inference = torch.inference_mode();
        foreach (var work in pieces)
            work();
    });

    /// <summary>Runs <paramref name="work"/> on the thread. What it returns must be no tensor of a scope that it closed.</summary>
    /// <exception cref="OperationCanceledException">Cancelled before its turn came.</exception>
    /// <exception cref="ObjectDisposedException">The thread has ended.</exception>
    public Task<T> RunAsync<T>(Func<T> work, CancellationToken cancellationToken)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        ObjectDisposedException.ThrowIf(!_thread.Post(Do), this);
        return done.Task;

        void Do()
        {
            if (cancellationToken.IsCancellationRequested)
            {
                done.SetCanceled(cancellationToken);
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
        }
    }

    /// <summary>Ends the thread when what waits is done.</summary>
    public ValueTask DisposeAsync() => _thread.DisposeAsync();
}
