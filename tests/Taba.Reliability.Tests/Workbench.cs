using System.Buffers.Binary;
using System.Text.Json;
using System.Text.Json.Nodes;
using Taba.Testing;

namespace Taba.Reliability.Tests;

/// <summary>A folder with a model, a sweep file, and what the command makes of them in <c>out</c>.</summary>
sealed class Workbench : IDisposable
{
    public const int CheckpointEverySteps = 2;

    /// <summary>A command on a processor runs two batches of 16 at once.</summary>
    public const int Slots = 32;

    static readonly string[] ModelFields =
    [
        "image_size", "num_channels", "num_res_blocks", "num_heads", "num_heads_upsample", "num_head_channels", "attention_resolutions",
        "channel_mult", "class_cond", "use_scale_shift_norm", "resblock_updown", "use_fp16", "use_new_attention_order", "learn_sigma",
        "diffusion_steps", "noise_schedule", "rescale_timesteps",
    ];

    readonly TempFolder _folder = new();

    public Workbench(string sweep)
    {
        WriteModel("tiny.json", Fixtures.At("models/adm/cifar32_tiny/model.pt"));
        WriteGaussian();
        File.WriteAllText(At("sweep.yaml"), sweep);
    }

    public string Folder => _folder.Path;

    /// <summary>Where the command's output goes: a folder below this one, or a small disk.</summary>
    public string Out { get; init; } = "out";

    public string OutFolder => Path.Combine(Folder, Out);

    public string Store => Path.Combine(OutFolder, ".taba");

    public string JournalFile => At("journal");

    /// <summary>Network evaluations ever made in this store.</summary>
    public long Evaluations => EvaluationsIn(Path.Combine(Store, "evaluations"));

    public string At(string name) => Path.Combine(Folder, name);

    /// <summary>The fixture model's architecture over some weights.</summary>
    public void WriteModel(string name, string weights)
    {
        using var fixture = JsonDocument.Parse(File.ReadAllBytes(Fixtures.At("models/adm/cifar32_tiny/case.json")));
        var arguments = fixture.RootElement.GetProperty("args");
        var model = new JsonObject { ["family"] = "adm", ["weights"] = weights };
        foreach (var field in ModelFields)
            model[field] = JsonNode.Parse(arguments.GetProperty(field).GetRawText());
        File.WriteAllText(At(name), model.ToJsonString());
    }

    /// <summary>Starts the command with the settings of these tests.</summary>
    public TabaProcess Start(params string[] arguments) => TabaProcess.Start(
        Folder,
        new Dictionary<string, string>
        {
            ["Taba__Engine__CheckpointEverySteps"] = $"{CheckpointEverySteps}",
            ["Taba__Engine__EvaluationJournal"] = JournalFile,
            ["Taba__Engine__BatchSize"] = $"{Slots / 2}",
        },
        arguments);

    /// <summary>Starts the sweep.</summary>
    public TabaProcess StartSweep() => Start("run", "sweep.yaml", "--out", Out);

    /// <summary>Runs a command to its end.</summary>
    public async Task<CommandResult> RunAsync(params string[] arguments)
    {
        using var process = Start(arguments);
        return await process.EndAsync();
    }

    /// <summary>Runs the sweep to its end.</summary>
    public Task<CommandResult> RunSweepAsync() => RunAsync("run", "sweep.yaml", "--out", Out);

    public void Dispose() => _folder.Dispose();

    void WriteGaussian() => File.WriteAllText(At("gaussian.json"), """
        { "family": "gaussian", "image_size": 16, "channels": 3, "mean": 0.1, "deviation": 0.5,
          "diffusion_steps": 1000, "noise_schedule": "linear", "rescale_timesteps": false }
        """);

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
