using System.Runtime.InteropServices;
using Taba.Grains.Sweeps;
using Taba.Silo.Devices;
using Taba.Silo.Engines;
using Taba.Silo.Hosting;
using Taba.Testing;

namespace Taba.Silo.Tests.Hosting;

/// <summary>
/// What a whole silo makes of an engine whose passes cannot go on. The file of the evaluation journal is what is at fault.
/// </summary>
public sealed partial class EngineFaultTests : IDisposable
{
    static readonly TimeSpan s_generous = TimeSpan.FromSeconds(60);

    readonly string _folder = Directory.CreateTempSubdirectory("taba-engine-faults-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Submit_JournalOnAFullDisk_GivesThePartBackAndBlamesNoSample()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "/dev/full is Linux's.");
        var plan = EmbeddedSiloTests.Plan(Spec());
        await using (var silo = await StartAsync(("EvaluationJournal", "/dev/full")))
        {
            await silo.SubmitAsync(plan);
            var fault = await silo.Fault.WaitAsync(s_generous);
            Assert.Contains("No space left", fault.Message, StringComparison.Ordinal);
            var status = await EmbeddedSiloTests.EndAsync(silo, plan.SweepId);
            Assert.Equal(SweepState.Faulted, status.State);
            Assert.Empty(status.Failures);
            Assert.All(status.Stages, stage => Assert.Equal(0, stage.PartsLeased));
            Assert.Empty(Directory.EnumerateFiles(Path.Combine(_folder, ".taba"), "*.safetensors", SearchOption.AllDirectories));
        }

        await using var again = await StartAsync();
        Assert.Equal(SweepState.Completed, (await EmbeddedSiloTests.RunAsync(again, plan)).State);
    }

    [Fact]
    public async Task Submit_PassThatDoesNotEnd_IsReportedAndTheSiloCanBeStopped()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Needs a named pipe.");
        var pipe = Path.Combine(_folder, "pipe");
        Assert.Equal(0, mkfifo(pipe, 0x1b6));
        // Open at both ends, and read by nobody: when it is full, whoever writes hangs.
        using var held = new FileStream(pipe, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        held.Write(new byte[60_000]);
        var plan = EmbeddedSiloTests.Plan(Spec());
        var silo = await StartAsync(("EvaluationJournal", pipe), ("StuckAfter", "00:00:00.5"));
        await silo.SubmitAsync(plan);

        var fault = Assert.IsType<EngineTroubleException>(await silo.Fault.WaitAsync(s_generous));

        Assert.Equal(EngineTroubleKind.Stuck, fault.Trouble.Kind);
        Assert.Contains("Taba:Engine:StuckAfter", fault.Message, StringComparison.Ordinal);
        await silo.DrainAsync(TimeSpan.FromSeconds(0.5));
        await silo.DisposeAsync().AsTask().WaitAsync(s_generous);
        // Let the engine's thread go.
        held.ReadExactly(new byte[60_000]);
    }

    [Fact]
    public async Task Submit_LimitThatWasRemembered_IsWhatTheEngineBeginsWith()
    {
        var plan = EmbeddedSiloTests.Plan(Spec());
        var store = Directory.CreateDirectory(Path.Combine(_folder, ".taba")).FullName;
        var device = SiloDevices.Resolve("cpu")[0];
        Assert.True(device.MemoryBytes > 0);
        new SpeedMemory(store).AddLimit(StageEngine.Of(plan.Stages[0].Spec), device.Kind, device.MemoryBytes, 6);

        await using var silo = await StartAsync();
        Assert.Equal(SweepState.Completed, (await EmbeddedSiloTests.RunAsync(silo, plan)).State);

        Assert.Equal(6, Assert.Single(silo.EngineStatistics).BatchLimit);
    }

    /// <summary>A model with weights; the network is not measured again.</summary>
    [Fact]
    public async Task Submit_BatchThatWasFoundBefore_IsWhatTheEngineRunsWith()
    {
        var plan = EmbeddedSiloTests.Plan(
            Spec() with { Models = [new(TinyModels.Adm(Path.Combine(_folder, "adm.json")))], Samples = 24, NumInferenceSteps = [2] });
        var store = Directory.CreateDirectory(Path.Combine(_folder, ".taba")).FullName;
        new SpeedMemory(store).AddBatch(
            StageEngine.Of(plan.Stages[0].Spec), NetworkForm.Fast, SiloDevices.Resolve("cpu")[0].SpeedName,
            new(8, [], 100, TimeSpan.FromSeconds(1)));

        await using var silo = await StartAsync();
        Assert.Equal(SweepState.Completed, (await EmbeddedSiloTests.RunAsync(silo, plan)).State);

        var done = Assert.Single(silo.EngineStatistics);
        Assert.Equal((8, 16, 2 * 24), (done.BatchLimit, done.Slots, done.Evaluations));
    }

    [Theory]
    [InlineData("CheckpointEvery", "00:00:00")]
    [InlineData("StuckAfter", "-00:00:01")]
    [InlineData("CheckpointEverySteps", "0")]
    public async Task StartAsync_SettingOutOfRange_IsRefusedByName(string name, string value)
    {
        var refused = await Assert.ThrowsAsync<BadInputException>(() => StartAsync((name, value)));
        Assert.Contains(name, refused.Message, StringComparison.Ordinal);
    }

    SweepSpec Spec() => new()
    {
        Name = "gaussian",
        Models = [GaussianModel.Write(_folder)],
        Samples = 64,
        Seeds = [420],
        NumInferenceSteps = [50],
    };

    Task<EmbeddedSilo> StartAsync(params (string Name, string Value)[] settings) => EmbeddedSilo.StartAsync(
        new EmbeddedSiloOptions
        {
            StoreRoot = Path.Combine(_folder, ".taba"),
            Devices = SiloDevices.Resolve("cpu"),
            Command = "test",
            Settings = [.. settings.Select(s => KeyValuePair.Create($"Taba:Engine:{s.Name}", (string?)s.Value))],
        },
        CancellationToken.None);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int mkfifo(string path, uint mode);
}
