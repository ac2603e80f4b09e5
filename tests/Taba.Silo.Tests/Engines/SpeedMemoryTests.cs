using Taba.Silo.Engines;
using Taba.Testing.Stores;

namespace Taba.Silo.Tests.Engines;

public sealed class SpeedMemoryTests : IDisposable
{
    readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Find_AfterAdd_GivesTheSpeedOfThatEngineAndDevice()
    {
        new SpeedMemory(_folder.Path).Add("m-float32", "cpu", 3000, TimeSpan.FromSeconds(20), 16);

        var memory = new SpeedMemory(_folder.Path);
        var speed = memory.Find("m-float32", "cpu");
        Assert.NotNull(speed);
        Assert.Equal((3000, 150, 16), (speed.Evaluations, speed.PerSecond, speed.BatchSize));
        Assert.Null(memory.Find("m-float32", "cuda"));
        Assert.Null(memory.Find("m-float16", "cpu"));
    }

    [Fact]
    public void Add_Again_CountsWhatWasBeforeHalf()
    {
        var memory = new SpeedMemory(_folder.Path);
        memory.Add("m", "cpu", 1000, TimeSpan.FromSeconds(10), 16);
        memory.Add("m", "cpu", 1000, TimeSpan.FromSeconds(5), 16);
        memory.Add("m", "cpu", 0, TimeSpan.Zero, 16);

        Assert.Equal(1500 / 10.0, memory.Find("m", "cpu")!.PerSecond, 9);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{\"x\": null}")]
    [InlineData("{\"x\": 1}")]
    public void Find_DamagedFile_KnowsNothingAndIsReplaced(string text)
    {
        File.WriteAllText(_folder["speeds.json"], text);
        var memory = new SpeedMemory(_folder.Path);
        Assert.Null(memory.Find("m", "cpu"));

        memory.Add("m", "cpu", 10, TimeSpan.FromSeconds(1), 16);

        Assert.Equal(10, memory.Find("m", "cpu")!.PerSecond);
        Assert.Single(Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public void FindLimit_AfterAddLimit_HoldsForThatModelDeviceAndMemory()
    {
        const long eight = 8L << 30;
        var memory = new SpeedMemory(_folder.Path);
        memory.Add("m", "cuda", 10, TimeSpan.FromSeconds(1), 64);
        memory.AddLimit("m", "cuda", eight, 32);
        memory.AddLimit("m", "cuda", eight, 16);
        memory.AddLimit("m", "cuda", eight, 24);

        var again = new SpeedMemory(_folder.Path);
        Assert.Equal(16, again.FindLimit("m", "cuda", eight));
        // A few MiB that the driver keeps for itself are no other device.
        Assert.Equal(16, again.FindLimit("m", "cuda", eight + (8 << 20)));
        Assert.Null(again.FindLimit("m", "cuda", 2 * eight));
        Assert.Null(again.FindLimit("m", "cpu", eight));
        Assert.Null(again.FindLimit("other", "cuda", eight));
        Assert.Equal(10, again.Find("m", "cuda")!.PerSecond);
    }

    [Fact]
    public void Add_ImpossibleNumbersInTheFile_AreNotUsed()
    {
        var memory = new SpeedMemory(_folder.Path);
        memory.Add("m", "cpu", 10, TimeSpan.FromSeconds(1), 16);
        File.WriteAllText(_folder["speeds.json"], File.ReadAllText(_folder["speeds.json"]).Replace(
            "\"Seconds\": 1", "\"Seconds\": -1", StringComparison.Ordinal));
        Assert.Null(memory.Find("m", "cpu"));
    }
}
