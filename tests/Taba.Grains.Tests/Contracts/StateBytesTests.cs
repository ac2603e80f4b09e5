using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;
using Taba.Grains.Stages;
using Taba.Grains.Sweeps;
using Taba.Grains.Tests.Planning;

namespace Taba.Grains.Tests.Contracts;

/// <summary>
/// The bytes of every kind of grain state. A version that cannot read the state of the one before it fails here, not at a user's.
/// Fields may be added (the old bytes must still be read); then the snapshot gets the new bytes beside the old ones.
/// </summary>
public sealed class StateBytesTests
{
    static readonly StageSpec s_everything = TestStages.InvertOf(TestStages.Sample) with
    {
        Swap = new(SwapKind.Xt, 10, new FileRows("xt.pt", "digest", 128), TestStages.Noise(42, 128)),
        Forward = new(3, TestStages.Noise(999, 128, NoiseLayout.PerSample)),
        Conditions = new FileRows("conds.pt", "digest-of-conds", 128),
        Determinism = new(16, "cpu"),
    };

    static readonly PartAttempt s_attempt = new("key", 32, 7, Guid.Parse("0f8fad5b-d9cb-469f-a165-70867728950e"));

    static readonly StageStatus s_stage = new(
        "key", StageKind.Invert, 128, TestStages.Rows(0, 32), 4, 1, 2, 1280, 320.5, [new("key", 5, 3, "NaN")], "disk");

    static readonly Dictionary<string, object> s_states = new()
    {
        ["stage"] = new StageState
        {
            Spec = s_everything,
            Epoch = 7,
            Published = [new(new([8], [7, 9], [1]), RowSet.Of(new RowRange(0, 32), new RowRange(64, 96)))],
            Leases = [new(s_attempt, new(32, 64), "127.0.0.1:11111@7", new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero))],
            Demands = [new("sweep", s_everything, new(0, 128), CaptureSelection.ForSwap(SwapKind.Eps, 3, 10))],
            Quarantined = [new("key", 5, 3, "NaN at step 3")],
            Failed = [new(FailureKind.NonFinite, TestStages.Rows(5, 9))],
            Lost = [new(new(96, 128), "127.0.0.1:11111@7", Strike: true, 2.5) { Attempt = s_attempt, Alone = true, Host = "host", At = 7 }],
            AtWork = [new("host", 6)],
        },
        ["sweep"] = new SweepGrainState
        {
            Plan = TestStages.Plan("id", TestStages.Planned(s_everything, new(0, 128))) with
            {
                Runs =
                [
                    new("slug", [new("seed", "42")], new(InterventionKind.Forward, 3, 999), new(0, 128), TestStages.Model,
                        [new("latents", new StageRows("key"), TensorKinds.State, [1, 9], new(3, 8, 8))]),
                ],
            },
            Ended = SweepState.CompletedWithFailures,
            Final = new("id", 12, SweepState.CompletedWithFailures, [s_stage], null),
            Owed = SweepDebts.Withdrawals | SweepDebts.Listing,
            Elsewhere = ["stand-in"],
            Log =
            [
                new(DateTimeOffset.UnixEpoch, SweepLogKind.Submitted, "anna@node7"),
                new(DateTimeOffset.UnixEpoch, SweepLogKind.Lost)
                {
                    Stage = "key", StageName = "sample T=10", Host = "w2", How = LeaseEnd.WorkerLost, Count = 3, Evaluations = 120.5,
                },
            ],
            Seen = [new("key") { Failed = 1, Paused = ["w2"], LostAt = DateTimeOffset.UnixEpoch }],
            SubmittedAt = DateTimeOffset.UnixEpoch,
            User = "anna@node7",
            Rate = 12.5,
        },
        ["sweep metrics"] = new SweepMetricsState { Runs = [new("slug", [new("reconstruction_error_images", 0.25)])] },
        ["sweep index"] = new SweepIndexState
        {
            Sweeps =
            [
                new("one", "first", 2, Paused: true, DateTimeOffset.UnixEpoch, Ended: null, EndedAt: null) { User = "anna@node7" },
                new("two", "second", 0, Paused: false, DateTimeOffset.UnixEpoch, SweepState.Cancelled, DateTimeOffset.UnixEpoch.AddHours(
                    1)) { Progress = new("two", 5, 10, 100, 1, null, null, 2) },
            ],
        },
    };

    [Fact]
    public void Serialize_EveryState_GivesTheBytesOfTheSnapshot()
    {
        using var services = Services();
        Golden.Verify("state-bytes.txt", s_states.Select(s => $"{s.Key}: {Convert.ToBase64String(Bytes(services, s.Value))}"));
    }

    [Fact]
    public void Deserialize_EveryState_GivesItBack()
    {
        using var services = Services();
        foreach (var state in s_states.Values)
        {
            var back = Back(services, state);
            Assert.Equal(state.GetType(), back.GetType());
            Assert.Equal(Bytes(services, state), Bytes(services, back));
        }
        var stage = (StageState)Back(services, s_states["stage"]);
        Assert.Equal(s_everything, stage.Spec);
        Assert.Equal(s_attempt, stage.Leases.Single().Attempt);
        Assert.Equal(((StageState)s_states["stage"]).Demands.Single(), stage.Demands.Single());
    }

    /// <summary>
    /// A sweep that ended before its status named silos without its model, and before it was written what it owed: then it may owe all.
    /// </summary>
    [Fact]
    public void Deserialize_SweepOfAnEarlierVersion_IsRead()
    {
        using var services = Services();
        var bytes = Convert.FromBase64String(
            Golden.Lines("state-bytes-before.txt").Single(l => l.StartsWith("sweep: ", StringComparison.Ordinal))["sweep: ".Length..]);
        var state = services.GetRequiredService<Serializer>().Deserialize<SweepGrainState>(bytes)!;
        Assert.Equal(new SweepLife(SweepPhase.Ended, SweepDebts.Withdrawals | SweepDebts.Listing), SweepLife.Of(state));
        Assert.Empty(state.Elsewhere);
        Assert.Empty(state.Log);
        Assert.Empty(state.Seen);
        Assert.Null(state.SubmittedAt);
        var final = state.Final!;
        Assert.Equal((s_stage.Key, s_stage.RowsDone), (final.Stages.Single().Key, final.Stages.Single().RowsDone));
        Assert.Empty(final.Refusals);
        Assert.Empty(final.Pauses);
        Assert.Equal([new FailedRows(FailureKind.Other, TestStages.Rows(5, 6))], final.Stages.Single().Failed.AsEnumerable());
    }

    /// <summary>A stage that listed every failed sample in words, and did not know the hosts of its leases.</summary>
    [Fact]
    public void Deserialize_StageOfAnEarlierVersion_IsRead()
    {
        using var services = Services();
        var bytes = Convert.FromBase64String(
            Golden.Lines("state-bytes-before.txt").Single(l => l.StartsWith("stage: ", StringComparison.Ordinal))["stage: ".Length..]);
        var state = services.GetRequiredService<Serializer>().Deserialize<StageState>(bytes)!;
        Assert.Equal([new FailedRows(FailureKind.Other, TestStages.Rows(5, 6))], state.Failed.AsEnumerable());
        Assert.Equal(("127.0.0.1:11111", false), (state.Leases.Single().Host, state.Leases.Single().Alone));
        Assert.Empty(state.AtWork);
    }

    [Fact]
    public void Deserialize_PlanOfTheDemo_GivesItBack()
    {
        using var services = Services();
        var plan = SweepSpecs.Demo.Plan();
        var back = (SweepPlan)Back(services, plan);
        Assert.Equal(plan.Stages, back.Stages.AsEnumerable());
        Assert.Equal(plan.Stages.Select(s => StageKey.Of(s.Spec)), back.Stages.Select(s => s.Key));
    }

    [Fact]
    public void Snapshot_HoldsEveryStateOfAGrain()
    {
        var stored = typeof(IStageGrain).Assembly.GetTypes().SelectMany(t => t.GetConstructors()).SelectMany(c => c.GetParameters())
            .Select(p => p.ParameterType).Where(t => t.IsGenericType && t.GetGenericTypeDefinition() == typeof(IPersistentState<>))
            .Select(t => t.GetGenericArguments()[0]).Distinct();
        Assert.Equal(stored.OrderBy(t => t.Name), s_states.Values.Select(s => s.GetType()).OrderBy(t => t.Name));
    }

    static byte[] Bytes(ServiceProvider services, object state) => services.GetRequiredService<Serializer>().SerializeToArray(state);

    static object Back(ServiceProvider services, object state) =>
        services.GetRequiredService<Serializer>().Deserialize<object>(Bytes(services, state))!;

    static ServiceProvider Services() =>
        new ServiceCollection().AddSerializer(b => b.AddAssembly(typeof(IStageGrain).Assembly)).BuildServiceProvider();
}
