using Taba.Diffusion.Native;
using Xunit;

namespace Taba.Diffusion.Tests.Native;

public sealed class MainHeapThreadTests
{
    [Fact]
    public async Task Start_Linux_EveryThreadIsInTheMainHeap()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && !LinuxLibc.AllocatorIsTheUsers(), "only glibc has heaps, and a MALLOC_ variable leaves them to the user");

        for (var i = 0; i < 8; i++)
        {
            var (isThere, _, _) = await InThread($"heap {i}");
            Assert.True(isThere, $"thread {i}");
        }
    }

    [Fact]
    public async Task Start_SeveralLiveAtOnce_AllAreInTheMainHeap()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && !LinuxLibc.AllocatorIsTheUsers(), "only glibc has heaps, and a MALLOC_ variable leaves them to the user");
        using var end = new ManualResetEventSlim();
        var results = Enumerable.Range(0, 4).Select(_ =>
        {
            var there = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
            MainHeapThread.Start(
                () =>
                {
                    there.SetResult(MainHeapThread.HasMainHeap());
                    end.Wait();
                },
                "heap");
            return there.Task;
        }).ToArray();

        var all = await Task.WhenAll(results);
        end.Set();

        Assert.All(all, Assert.True);
    }

    [Fact]
    public async Task Start_AnySystem_RunsInABackgroundThreadOfThatName()
    {
        var (_, name, isBackground) = await InThread("taba-engine test");

        Assert.Equal("taba-engine test", name);
        Assert.True(isBackground);
    }

    static Task<(bool IsThere, string? Name, bool IsBackground)> InThread(string name)
    {
        var result = new TaskCompletionSource<(bool, string?, bool)>(TaskCreationOptions.RunContinuationsAsynchronously);
        MainHeapThread.Start(
            () => result.SetResult((OperatingSystem.IsLinux() && MainHeapThread.HasMainHeap(), Thread.CurrentThread.Name, Thread.CurrentThread.IsBackground)),
            name);
        return result.Task;
    }
}
