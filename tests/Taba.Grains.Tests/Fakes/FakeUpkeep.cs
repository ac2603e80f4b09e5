using System.Threading.Channels;
using Taba.Grains.Ports;

namespace Taba.Grains.Tests.Fakes;

/// <summary>Says when it is asked to sweep, and ends when a test says so.</summary>
sealed class FakeUpkeep : IStoreUpkeep
{
    readonly Channel<(Func<string, Task<IReadOnlySet<Guid>>> InUse, TaskCompletionSource<int> Swept)> _sweeps =
        Channel.CreateUnbounded<(Func<string, Task<IReadOnlySet<Guid>>>, TaskCompletionSource<int>)>();

    public ChannelReader<(Func<string, Task<IReadOnlySet<Guid>>> InUse, TaskCompletionSource<int> Swept)> Sweeps => _sweeps.Reader;

    public Task<int> SweepOrphansAsync(Func<string, Task<IReadOnlySet<Guid>>> inUse, CancellationToken cancellationToken)
    {
        var swept = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        _sweeps.Writer.TryWrite((inUse, swept));
        return swept.Task;
    }
}
