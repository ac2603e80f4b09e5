using System.Collections.Concurrent;
using System.Threading.Channels;
using Taba.Grains.Ports;
using Taba.Grains.Stages;

namespace Taba.Grains.Tests.Fakes;

/// <summary>Every worker lives until a test says otherwise.</summary>
sealed class FakeMembership : IWorkerLiveness
{
    public ConcurrentDictionary<string, bool> Dead { get; } = new();

    public bool IsAlive(string worker) => !Dead.ContainsKey(worker);

    public long Version => Dead.Count;
}

/// <summary>Ended parts, by stage.</summary>
sealed class FakeSignal : IWorkSignal
{
    readonly ConcurrentDictionary<string, Channel<(PartAttempt Attempt, RowSet Published)>> _ended = new();

    public ChannelReader<(PartAttempt Attempt, RowSet Published)> Ended(string stageKey) => Of(stageKey).Reader;

    public void PartEnded(PartAttempt attempt, RowSet published) => Of(attempt.StageKey).Writer.TryWrite((attempt, published));

    public void Wake()
    {
    }

    Channel<(PartAttempt, RowSet)> Of(string stageKey) => _ended.GetOrAdd(stageKey, _ => Channel.CreateUnbounded<(PartAttempt, RowSet)>());
}
