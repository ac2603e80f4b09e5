using System.Diagnostics;
using System.Text;
using Taba.Client.Commands;
using Taba.Client.Embedded;

namespace Taba.Client.Tests;

/// <summary>A disk that fills while a sweep runs: a small tmpfs, which only root may mount.</summary>
public sealed class DiskFullTests : IDisposable
{
    const int DiskBytes = 48 << 20;

    readonly CommandLine _taba = new();
    string? _disk;

    public void Dispose()
    {
        if (_disk is not null)
            Run("umount", _disk);
        _taba.Dispose();
    }

    [Fact]
    public async Task Run_OnADiskThatFills_EndsWithThreeAndContinuesWhenThereIsRoom()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "only root may mount a tmpfs");
        var disk = Directory.CreateDirectory(_taba.At("disk")).FullName;
        Assert.SkipUnless(Run("mount", "-t", "tmpfs", "-o", $"size={DiskBytes}", "tmpfs", disk), "this machine does not allow a tmpfs to be mounted");
        _disk = disk;
        var ballast = Path.Combine(disk, "ballast");
        string[] command =
        [
            "sample", "gaussian", "--model", _taba.GaussianModel(size: 32), "--n_samples", "128", "--num_inference_steps", "10",
            "--with_inversion", "--deterministic", "--json", "--save_dir",
        ];

        using (var error = new FillingWriter(ballast))
        {
            var status = await TabaCommand.RunAsync(
                [.. command, Path.Combine(disk, "run")], new Terminal(TextWriter.Null, error, false, TimeProvider.System), new EmbeddedRun(), CancellationToken.None);
            Assert.True(status == ExitStatus.Failed, $"exit {status}: {error}");
            Assert.Contains("to go on: taba sample", error.ToString(), StringComparison.Ordinal);
        }
        Assert.False(File.Exists(Path.Combine(disk, "run", "manifest.json")));

        File.Delete(ballast);
        Assert.True(await _taba.RunAsync([.. command, Path.Combine(disk, "run")]) == ExitStatus.Done, _taba.Error);
        Assert.Equal(ExitStatus.Done, await _taba.RunAsync([.. command, _taba.At("undisturbed", "run")]));
        foreach (var tensor in (string[])["noise.pt", "samples.pt", "latents.pt"])
            Assert.Equal(await File.ReadAllBytesAsync(_taba.At("undisturbed", "run", tensor)), await File.ReadAllBytesAsync(Path.Combine(disk, "run", tensor)));
    }

    static bool Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0;
    }

    /// <summary>Standard error of a command; fills the disk when the first progress is shown, so that the run has begun.</summary>
    sealed class FillingWriter(string ballast) : StringWriter
    {
        const int LeftFree = 128 << 10;

        bool _filled;

        public override Encoding Encoding => Encoding.UTF8;

        public override void WriteLine(string? value)
        {
            base.WriteLine(value);
            if (_filled)
                return;
            _filled = true;
            using var file = new FileStream(ballast, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
            try
            {
                for (var block = new byte[64 << 10]; ;)
                    file.Write(block);
            }
            catch (IOException)
            {
                file.SetLength(Math.Max(0, file.Length - LeftFree));
            }
        }
    }
}
