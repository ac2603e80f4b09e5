using Taba.Grains.Stages;
using Taba.Grains.Sweeps;
using Taba.Grains.Words;

namespace Taba.Grains.Tests.Words;

public sealed class SteeringTests
{
    [Theory]
    [InlineData(SweepVerb.Pause, SweepState.Running, 0, null)]
    [InlineData(SweepVerb.Pause, SweepState.Paused, 0, "Sweep s is paused already.")]
    [InlineData(SweepVerb.Pause, SweepState.Cancelled, 0, "Sweep s has ended (cancelled): there is nothing to pause.")]
    [InlineData(SweepVerb.Resume, SweepState.Paused, 0, null)]
    [InlineData(SweepVerb.Resume, SweepState.Running, 0, "Sweep s is not paused: it runs.")]
    [InlineData(SweepVerb.Resume, SweepState.Completed, 0, "Sweep s is completed: there is nothing to resume.")]
    [InlineData(SweepVerb.Resume, SweepState.Stopped, 1, "Sweep s has ended (stopped): retry goes on with it, resume does not.")]
    [InlineData(SweepVerb.Cancel, SweepState.Paused, 0, null)]
    [InlineData(SweepVerb.Cancel, SweepState.CompletedWithFailures, 1, "Sweep s has ended already (completed with failures).")]
    [InlineData(SweepVerb.Retry, SweepState.CompletedWithFailures, 1, null)]
    [InlineData(SweepVerb.Retry, SweepState.Cancelled, 0, null)]
    [InlineData(SweepVerb.Retry, SweepState.Stopped, 1, null)]
    [InlineData(SweepVerb.Retry, SweepState.Running, 1, null)]
    [InlineData(SweepVerb.Retry, SweepState.Running, 0, "Sweep s has no failed samples so far: there is nothing to try again.")]
    [InlineData(SweepVerb.Retry, SweepState.Paused, 0, "Sweep s has no failed samples, and is paused: resume goes on.")]
    [InlineData(SweepVerb.Retry, SweepState.Completed, 0, "Sweep s is completed: there is nothing to try again.")]
    public void Refusal_OfAVerb_IsASentenceWhereNothingWouldChange(SweepVerb verb, SweepState state, int failed, string? expected) =>
        Assert.Equal(expected, Steering.Refusal(verb, "Sweep s", new("s", 1, state, [Stage() with { RowsFailed = failed }], null)));

    [Fact]
    public void Refusal_OfARetryWhileAHostWaits_IsNone() => Assert.Null(Steering.Refusal(
        SweepVerb.Retry, "s", new(
            "s", 1, SweepState.Running, [Stage() with { Pauses = [new("gpu", "a", "disk", 1, TimeSpan.FromSeconds(9))] }], null)));

    [Fact]
    public void Word_OfEveryState_IsItsOneSpelling() => Assert.Equal(
        ["running", "completed", "completed with failures", "faulted", "cancelled", "paused", "stopped"],
        Enum.GetValues<SweepState>().Select(SweepText.Word));

    static StageStatus Stage() => new("key", StageKind.Sample, 64, RowSet.Empty, 0, 0, 1, 640, 0, [], null);
}
