using Taba.Client.Embedded;
using Taba.Testing;
using Taba.Testing.Client;

namespace Taba.Client.Tests;

/// <summary>A disk that fills while a sweep runs: a small tmpfs, which only root may mount.</summary>
[Trait(Needs.Trait, Needs.Process)]
public sealed class DiskFullTests : IDisposable
{
    const int DiskKilobytes = 48 << 10;
    const int LeftKilobytes = 128;

    readonly CommandLine _taba = new();

    public void Dispose() => _taba.Dispose();

    [Fact]
    public async Task Run_OnADiskThatFills_EndsWithThreeAndContinuesWhenThereIsRoom()
    {
        using var disk = SmallDisk.TryMount(_taba.At("disk"), DiskKilobytes, out var reason);
        Assert.SkipWhen(disk is null, reason);
        string[] command =
        [
            "sample", "gaussian", "--model", _taba.GaussianModel(size: 32), "--n_samples", "128", "--num_inference_steps", "10",
            "--with_inversion", "--deterministic", "--json", "--save_dir",
        ];
        var run = _taba.At("disk", "run");

        // The first progress is shown: the run has begun.
        var errors = new WriterThatActs(() => disk.Fill(LeftKilobytes));
        var failed = (await InProcess.RunAsync([.. command, run], new EmbeddedRun(), errors, CancellationToken.None)).ShouldEnd(
            ExitStatus.Failed);
        Assert.Contains("to go on: taba sample", failed.Errors, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(run, "manifest.json")));

        disk.MakeRoom();
        await _taba.DoneAsync([.. command, run]);
        await _taba.DoneAsync([.. command, _taba.At("undisturbed", "run")]);
        foreach (var tensor in (string[])["noise.pt", "samples.pt", "latents.pt"])
            Assert.Equal(await File.ReadAllBytesAsync(_taba.At("undisturbed", "run", tensor)), await File.ReadAllBytesAsync(
                Path.Combine(run, tensor)));
    }

    /// <summary>Standard error of a command; acts when the first line is written.</summary>
    sealed class WriterThatActs(Action action) : StringWriter
    {
        bool _acted;

        public override void WriteLine(string? value)
        {
            base.WriteLine(value);
            if (_acted)
                return;
            _acted = true;
            action();
        }
    }
}
