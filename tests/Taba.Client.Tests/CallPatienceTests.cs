using System.Collections.Immutable;
using System.Reflection;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Time.Testing;
using Orleans;
using Orleans.Runtime;
using Taba.Client.Clusters;
using Taba.Client.Hosts;
using Taba.Grains.Errors;
using Taba.Grains.Stages;
using Taba.Grains.Sweeps;
using Taba.Storage.Manifests;

namespace Taba.Client.Tests;

/// <summary>Which calls are made again, and what is said meanwhile.</summary>
public sealed class CallPatienceTests : IDisposable
{
    static readonly CancellationToken s_none = CancellationToken.None;

    readonly StringWriter _said = new();
    readonly HurryingTime _time = new();

    public void Dispose() => _said.Dispose();

    public static TheoryData<Exception> Passing =>
    [
        new TimeoutException(), new SiloUnavailableException("gone"),
        new EnumerationAbortedException("moved"), new CallException(CallFault.Passing, "the silo leaves"),
        new CallException(CallFault.Store, "the database restarts"),
        new SiloUnavailableException("up", new CallException(CallFault.Store, "the database restarts")),
        new TaskCanceledException(),
    ];

    public static TheoryData<Exception> Answers =>
    [
        new CallException(CallFault.BadInput, "no"), new CallException(CallFault.Unknown, "no sweep"),
        new CallException(CallFault.Unexpected, "KeyNotFoundException: x"), new InvalidOperationException("y"),
        new Orleans.Serialization.CodecNotFoundException("of another version"), new BadInputException("z"),
        new SiloUnavailableException("up", new CallException(CallFault.Unreadable, "the state is damaged")),
    ];

    [Theory]
    [MemberData(nameof(Passing), DisableDiscoveryEnumeration = true)]
    public async Task Ask_ErrorThatPasses_IsAskedAgain(Exception error)
    {
        var asked = 0;
        Assert.Equal(3, await Patience().AskAsync(() => ++asked < 3 ? Task.FromException<int>(error) : Task.FromResult(asked), s_none));
        Assert.Contains("does not answer (", _said.ToString(), StringComparison.Ordinal);
        Assert.Contains("answers again", _said.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Answers), DisableDiscoveryEnumeration = true)]
    public async Task Ask_AnyOtherError_IsTheAnswer(Exception error)
    {
        var asked = 0;
        var thrown = await Assert.ThrowsAnyAsync<Exception>(() => Patience().AskAsync(() =>
        {
            asked++;
            return Task.FromException<int>(error);
        }, s_none));
        Assert.Same(error, thrown);
        Assert.Equal(1, asked);
        Assert.Empty(_said.ToString());
    }

    [Fact]
    public async Task Embedded_ItsOwnDiskFails_IsTheAnswer()
    {
        var patience = new CallPatience(PassingErrors.OfSilos, _time);
        await Assert.ThrowsAsync<CallException>(
            () => patience.AskAsync(() => Task.FromException<int>(new CallException(CallFault.Store, "the disk is full")), s_none));
        var asked = 0;
        await patience.AskAsync(() => ++asked < 3 ? Task.FromException(new TimeoutException()) : Task.CompletedTask, s_none);
        Assert.Equal(3, asked);
    }

    [Fact]
    public async Task Watch_BreaksOff_GoesOnBehindWhatWasSeen()
    {
        var sweep = new Sweep { Watches = { ([1, 2], new TimeoutException()), ([3], null) } };
        var seen = await Patience().WatchAsync(sweep, 0, s_none).Select(s => s.Version).ToListAsync();
        Assert.Equal([1L, 2L, 3L], seen);
        Assert.Equal([0L, 2L], sweep.Since);
    }

    [Fact]
    public async Task Session_SweepIsLostMeanwhile_SubmitsItAgainAndGoesOn()
    {
        var unknown = new CallException(CallFault.Unknown, "There is no sweep s.");
        var sweep = new Sweep { Watches = { ([1, 2], unknown), ([8], null) } };
        var plan = new SweepPlan("s", "n", [], []);
        await using var session = Session(sweep);
        await session.SubmitAsync(plan);

        var seen = await session.WatchAsync("s", 0, s_none).Select(s => s.Version).ToListAsync();

        Assert.Equal([1L, 2L, 7L, 8L], seen);
        Assert.Equal([plan, plan], sweep.Submitted);
        Assert.Contains("lost the sweep's plan: it is submitted again", _said.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Session_WatchesWhatItDidNotSubmit_SaysThatThereIsNone()
    {
        await using var session = Session(new Sweep { Watches = { ([], new CallException(CallFault.Unknown, "There is no sweep s.")) } });
        await Assert.ThrowsAsync<CallException>(async () => await session.WatchAsync("s", 0, s_none).CountAsync());
    }

    [Fact]
    public async Task Session_Interrupted_SaysInOneSentenceThatTheSweepGoesOn()
    {
        await using var session = Session(new Sweep());
        Assert.Null(session.OnInterrupt);
        var last = session.AfterInterrupt(new("s1", "x", [], []));
        Assert.Equal(
            "Interrupted: the sweep goes on in cluster lab. To see it and write its results: taba run x.yaml --cluster lab; to end it: "
            + "taba cancel s1 --cluster lab",
            last);
    }

    ClusterPatience Patience() => new("lab", new(TextWriter.Null, _said, false, _time));

    ClusterSession Session(Sweep sweep)
    {
        var grains = DispatchProxy.Create<IGrainFactory, OneGrain>();
        ((OneGrain)(object)grains).Grain = sweep;
        return new(grains, null!, "cpu", "lab", "taba run x.yaml --cluster lab", new(TextWriter.Null, _said, false, _time));
    }

    /// <summary>A clock on which every pause is over at once.</summary>
    sealed class HurryingTime : FakeTimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = base.CreateTimer(callback, state, dueTime, period);
            if (dueTime > TimeSpan.Zero)
                _ = Task.Run(() => Advance(dueTime));
            return timer;
        }
    }

    /// <summary>Knows one grain.</summary>
    public class OneGrain : DispatchProxy
    {
        public ISweepGrain? Grain { get; set; }

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => Grain;
    }

    /// <summary>A sweep that can be submitted and watched: what each watch shows, and how it breaks off.</summary>
    sealed class Sweep : ISweepGrain
    {
        public List<(long[] Versions, Exception? Error)> Watches { get; } = [];

        public List<long> Since { get; } = [];

        public List<SweepPlan> Submitted { get; } = [];

        public Task<SweepStatus> SubmitAsync(SweepPlan plan)
        {
            Submitted.Add(plan);
            return Task.FromResult(Status(7));
        }

        public async IAsyncEnumerable<SweepStatus> WatchAsync(
            long sinceVersion, [EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            Since.Add(sinceVersion);
            var (versions, error) = Watches[0];
            Watches.RemoveAt(0);
            foreach (var version in versions)
                yield return Status(version);
            await Task.Yield();
            if (error is not null)
                throw error;
        }

        public Task StageChangedAsync(StageReport report) => throw new NotSupportedException();

        public Task WakeAsync() => throw new NotSupportedException();

        public Task<bool> ForgetAsync() => throw new NotSupportedException();

        public ValueTask<SweepStatus> GetStatusAsync() => throw new NotSupportedException();

        public Task CancelAsync() => throw new NotSupportedException();

        public Task PauseAsync() => throw new NotSupportedException();

        public Task ResumeAsync() => throw new NotSupportedException();

        public Task<SweepStatus> RetryAsync() => throw new NotSupportedException();

        public ValueTask<SweepPlan?> GetPlanAsync() => throw new NotSupportedException();

        public ValueTask<ImmutableArray<SweepLogEntry>> GetLogAsync() => throw new NotSupportedException();

        public Task MetricsAsync(RunNumbers metrics) => throw new NotSupportedException();

        public ValueTask<ImmutableArray<RunNumbers>> GetMetricsAsync() => throw new NotSupportedException();

        public Task LookAgainAsync(string stageKey, RowRange rows) => throw new NotSupportedException();

        static SweepStatus Status(long version) => new("s", version, SweepState.Running, [], null);
    }
}
