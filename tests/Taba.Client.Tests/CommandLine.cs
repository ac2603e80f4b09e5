using Taba.Client.Commands;
using Taba.Client.Embedded;

namespace Taba.Client.Tests;

/// <summary>Runs the real command in this process, in a folder of its own, and keeps what it says.</summary>
sealed class CommandLine : IDisposable
{
    public string Folder { get; } = Directory.CreateTempSubdirectory("taba-client-").FullName;

    public string Output { get; private set; } = "";

    public string Error { get; private set; } = "";

    public string At(params string[] parts) => Path.Combine([Folder, .. parts]);

    public string Write(string name, string text)
    {
        var path = At(name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
        return path;
    }

    /// <summary>A model without a network: 3x8x8 independent Gaussian pixels, 100 diffusion steps.</summary>
    public string GaussianModel(string name = "g", int size = 8) => Write(
        Path.Combine(name, "model.json"),
        $$"""{"family":"gaussian","mean":0.1,"deviation":0.5,"image_size":{{size}},"diffusion_steps":100,"noise_schedule":"linear"}""");

    public async Task<int> RunAsync(params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var status = await TabaCommand.RunAsync(args, new Terminal(output, error, false, TimeProvider.System), new EmbeddedRun(), CancellationToken.None);
        (Output, Error) = (output.ToString(), error.ToString());
        return status;
    }

    /// <summary>Runs what must be refused: status 2, one sentence, and nothing new on disk.</summary>
    public async Task<string> RefuseAsync(params string[] args)
    {
        var before = Files();
        var status = await RunAsync(args);
        Assert.True(status == ExitStatus.BadInput, $"exit {status}: {Error}");
        Assert.Equal("", Output);
        Assert.Single(Error.TrimEnd('\n').Split('\n'));
        Assert.EndsWith(".", Error.TrimEnd().TrimEnd('?') + ".", StringComparison.Ordinal);
        Assert.Equal(before, Files());
        return Error;
    }

    string[] Files() => [.. Directory.EnumerateFileSystemEntries(Folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)];

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
