using Taba.Diffusion.Native;
using static TorchSharp.torch;

namespace Taba.Diffusion.Tests.Native;

public sealed class ProcessorThreadsTests
{
    [Fact]
    public void Use_OnAThread_ChangesNoOther()
    {
        var before = OnAThread(get_num_threads);
        Assert.Equal(3, OnAThread(() =>
        {
            ProcessorThreads.Use(3);
            Assert.Equal(before, OnAThread(get_num_threads));
            return get_num_threads();
        }));
        Assert.Equal(before, OnAThread(get_num_threads));
    }

    [Fact]
    public void Use_WithMoreShares_LeavesEachItsOwn()
    {
        using var both = new Barrier(2);
        var numbers = new int[2];
        var threads = Enumerable.Range(0, 2).Select(i => new Thread(() =>
        {
            ProcessorThreads.Use(i + 1);
            both.SignalAndWait();
            numbers[i] = get_num_threads();
        })).ToList();
        threads.ForEach(t => t.Start());
        threads.ForEach(t => t.Join());
        Assert.Equal([1, 2], numbers);
    }

    [Fact]
    public void Use_NoThread_IsRefused() => Assert.Throws<ArgumentOutOfRangeException>(() => ProcessorThreads.Use(0));

    static int OnAThread(Func<int> read)
    {
        var number = 0;
        Exception? error = null;
        var thread = new Thread(() =>
        {
            try
            {
                number = read();
            }
            catch (Exception exception)
            {
                error = exception;
            }
        });
        thread.Start();
        thread.Join();
        return error is null ? number : throw new InvalidOperationException("on the thread", error);
    }
}
