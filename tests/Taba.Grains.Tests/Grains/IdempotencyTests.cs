using Taba.Grains.Stages;
using Taba.Grains.Tests.Fakes;

namespace Taba.Grains.Tests.Grains;

/// <summary>
/// A call that timed out may have happened: every method that changes something may come twice, or late. Methods are found by
/// reflection, so that a new one without a case fails here.
/// </summary>
[Collection(SiloCollection.Name)]
public sealed class IdempotencyTests(TestSilo silo)
{
    public static TheoryData<string> Methods => [.. typeof(IStageGrain).Assembly.GetTypes()
        .Where(t => t.IsInterface && typeof(IGrain).IsAssignableFrom(t))
        .SelectMany(t => t.GetMethods().Select(m => (t.Name, Method: m.Name)))
        .Where(m => !m.Method.StartsWith("Get", StringComparison.Ordinal) && !m.Method.StartsWith("Watch", StringComparison.Ordinal))
        .Select(m => $"{m.Name}.{m.Method}").Order(StringComparer.Ordinal)];

    public static TheoryData<string> MethodsThatActOnce =>
        [.. Methods.Select(m => m.Data).Where(m => !MutatingCalls.MayActTwice.ContainsKey(m))];

    [Theory]
    [MemberData(nameof(MethodsThatActOnce))]
    public async Task Call_TwiceAndLate_ActsOnce(string method)
    {
        Assert.True(MutatingCalls.Cases.TryGetValue(method, out var arrange), $"{method} has no case: add one to {nameof(MutatingCalls)}.");
        var call = await arrange(silo);
        var before = await call.Observe();
        await call.Call();
        var after = await call.Observe();
        Assert.NotEqual(before, after);

        await call.Call();
        Assert.Equal(after, await call.Observe());
        if (call.Stale is not { } stale)
            return;
        await stale();
        Assert.Equal(after, await call.Observe());
    }

    [Fact]
    public void Cases_EveryOne_IsAMethod()
    {
        var methods = Methods.Select(m => m.Data).ToHashSet();
        Assert.All(MutatingCalls.Cases.Keys.Concat(MutatingCalls.MayActTwice.Keys), m => Assert.Contains(m, methods));
    }
}
