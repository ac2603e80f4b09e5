using System.Buffers.Binary;
using Taba.Testing;
using Taba.Testing.Client;
using Taba.Testing.Commands;

namespace Taba.Reliability.Tests;

/// <summary>A folder with a model, a sweep file, and what the command, in a process of its own, makes of them in <c>out</c>.</summary>
sealed class Workbench : IDisposable
{
    public const int CheckpointEverySteps = 2;

    /// <summary>A command on a processor runs two batches of 16 at once.</summary>
    public const int Slots = 32;

    readonly TempFolder _folder = new();

    public Workbench(string sweep)
    {
        TinyModels.Adm(At("tiny.json"));
        TinyModels.Gaussian(At("gaussian.json"));
        _folder.Write("sweep.yaml", sweep);
    }

    public string Folder => _folder.Path;

    /// <summary>The folder of the command's output: below this one, or a small disk.</summary>
    public string Out { get; init; } = "out";

    public string OutFolder => Path.Combine(Folder, Out);

    public string Store => Path.Combine(OutFolder, ".taba");

    public string JournalFile => At("journal");

    /// <summary>Network evaluations ever made in this store.</summary>
    public long Evaluations => EvaluationsIn(Path.Combine(Store, "evaluations"));

    public string At(string name) => Path.Combine(Folder, name);

    /// <summary>Starts the command with the settings of these tests.</summary>
    public ProgramProcess Start(params string[] arguments) => ProgramProcess.Start(
        $"taba {string.Join(' ', arguments)}",
        Programs.Taba,
        Folder,
        new Dictionary<string, string>
        {
            ["Taba__Engine__CheckpointEverySteps"] = $"{CheckpointEverySteps}",
            ["Taba__Engine__EvaluationJournal"] = JournalFile,
            ["Taba__Engine__BatchSize"] = $"{Slots / 2}",
        },
        arguments);

    /// <summary>Starts the sweep.</summary>
    public ProgramProcess StartSweep() => Start("run", "sweep.yaml", "--out", Out);

    /// <summary>Runs a command to its end.</summary>
    public async Task<CommandResult> RunAsync(params string[] arguments)
    {
        using var process = Start(arguments);
        return await process.EndAsync();
    }

    /// <summary>Runs the sweep to its end.</summary>
    public Task<CommandResult> RunSweepAsync() => RunAsync("run", "sweep.yaml", "--out", Out);

    /// <summary>Runs the sweep, whose results do not depend on batches, in this process and in peace.</summary>
    public Task RunUndisturbedAsync() => InProcess.DoneAsync("run", At("sweep.yaml"), "--out", OutFolder);

    public void Dispose() => _folder.Dispose();

    static long EvaluationsIn(string file)
    {
        try
        {
            var bytes = File.ReadAllBytes(file);
            return bytes.Length < sizeof(long) ? 0 : BinaryPrimitives.ReadInt64LittleEndian(bytes);
        }
        catch (IOException)
        {
            // Not there yet.
            return 0;
        }
    }
}
