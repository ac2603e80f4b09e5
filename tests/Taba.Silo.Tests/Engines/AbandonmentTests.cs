using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Taba.Grains.Faults;
using Taba.Grains.Parts;
using Taba.Silo.Engines;
using Taba.Silo.Rows;
using Orleans;
using Taba.Silo.Tests.Workers;
using Taba.Testing.Stores;

namespace Taba.Silo.Tests.Engines;

/// <summary>A part that cannot go on is given back, however long its grain does not answer.</summary>
public sealed class AbandonmentTests : IDisposable
{
    static readonly Fault s_fault = new(FaultOwner.Host, "no space left on device");

    readonly FakeTimeProvider _time = new();
    readonly SampleReports _reports = new();
    readonly ActivePart _part = ActivePart.WithoutSteps(
        new(StoreExamples.Attempt(), StoreExamples.Spec(), new(0, 4), CaptureSelection.None, Supplement: false), new RowBuffers());

    int _calls;
    int _deaf;

    public void Dispose() => _part.Dispose();

    [Fact]
    public async Task TryBegin_GrainDoesNotAnswerTwice_IsToldTheThirdTime()
    {
        _deaf = 2;
        Assert.True(New().TryBegin(_part, () => Task.FromResult(s_fault)));
        await EndAsync();
        Assert.Equal(3, _calls);
    }

    [Fact]
    public void TryBegin_ASecondTime_IsFalse()
    {
        Assert.True(New().TryBegin(_part, () => Task.FromResult(s_fault)));
        Assert.False(New().TryBegin(_part, () => Task.FromResult(s_fault)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task TryBegin_SiloOrPartIsOver_Ends(bool silo)
    {
        _deaf = int.MaxValue;
        Assert.True(New().TryBegin(_part, () => Task.FromResult(s_fault)));
        while (Volatile.Read(ref _calls) < 2)
            await StepAsync();
        if (silo)
            _reports.BeginDraining();
        else
            _part.Dispose();
        await EndAsync();
    }

    Abandonment New()
    {
        var grain = StandIn.For<IPartGrain>((nameof(IPartGrain.AbandonAsync), (_, args) =>
        {
            Assert.Equal((_part.Lease.Attempt, s_fault), ((PartAttempt)args[0]!, (Fault)args[1]!));
            return Interlocked.Increment(ref _calls) <= _deaf
                ? Task.FromException(new TimeoutException("no answer"))
                : Task.CompletedTask;
        }
        ));
        var grains = StandIn.For<IGrainFactory>((nameof(IGrainFactory.GetGrain), (_, _) => grain));
        return new(grains, _reports, _time, NullLogger<Abandonment>.Instance);
    }

    async Task EndAsync()
    {
        var all = _reports.AllAsync();
        while (!all.IsCompleted)
            await StepAsync();
        await all;
    }

    async Task StepAsync()
    {
        _time.Advance(TimeSpan.FromSeconds(1));
        await Task.Delay(1, TestContext.Current.CancellationToken);
    }
}
