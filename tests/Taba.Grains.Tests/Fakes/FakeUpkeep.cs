using System.Threading.Channels;
using Taba.Grains.Ports;

namespace Taba.Grains.Tests.Fakes;

/// <summary>Says when it is asked to sweep, and ends when a test says so.</summary>
sealed class FakeUpkeep : IStoreUpkeep
{
    readonly Channel<(DateTimeOffset Before, TaskCompletionSource<int> Swept)> _sweeps =
        Channel.CreateUnbounded<(DateTimeOffset, TaskCompletionSource<int>)>();

    public ChannelReader<(DateTimeOffset Before, TaskCompletionSource<int> Swept)> Sweeps => _sweeps.Reader;

    public Task<int> SweepOrphansAsync(DateTimeOffset writtenBefore, CancellationToken cancellationToken)
    {
        var swept = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        _sweeps.Writer.TryWrite((writtenBefore, swept));
        return swept.Task;
    }
}
