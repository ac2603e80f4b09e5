using System.CommandLine;
using Taba.Client.Sweeps;
using Taba.Grains;
using Taba.Grains.Sweeps;
using static TorchSharp.torch;

namespace Taba.Client.Commands;

/// <summary>What <c>taba bench</c> is asked for.</summary>
/// <param name="Model">The model.</param>
/// <param name="Device">One device.</param>
/// <param name="Dtype">Null for the family's own.</param>
/// <param name="Network">How it is computed.</param>
/// <param name="BatchSizes">In the order to be measured; null to find the best by doubling.</param>
/// <param name="Seconds">For each batch size.</param>
sealed record BenchRequest(
    ModelSelection Model, string Device, ScalarType? Dtype, NetworkForm Network, IReadOnlyList<int>? BatchSizes, double Seconds, bool Json);

/// <summary>The flags of <c>taba bench</c>.</summary>
sealed class BenchFlags
{
    const int MostBatch = 1 << 16;
    const double MostSeconds = 3600;

    readonly Argument<string> _model = new("MODEL")
    {
        Description = "A model's name, a model.json, or a Hugging Face folder.", DefaultValueFactory = _ => "demo",
    };

    readonly Option<string?> _weights = Flags.Of<string?>("weights", "A weights file (.pt or .safetensors) for a named model.");
    readonly Option<int?> _sampleSize = Flags.Of<int?>("sample_size", "Height and width of the state; the default is the model's.");
    readonly Option<string> _device = Flags.WithDefault("device", "auto", "auto, cpu, cuda or cuda:N.");
    readonly Option<string> _dtype = Flags.OneOf(
        "dtype", "Precision of the network. The default is auto.", "auto", "float32", "float16", "bfloat16");
    readonly Option<string> _network = Flags.OneOf(
        "network", "How the network is computed: fast, or plain to compare with. The default is fast.", "fast", "plain");
    readonly Option<string?> _batchSizes = Flags.Of<string?>(
        "batch_sizes", "Batch sizes, such as 1,4,16. Without them: doubled until that gains nothing.");
    readonly Option<double> _seconds = Flags.WithDefault("seconds", 2.0, "How long each batch size is measured.");
    readonly Option<bool> _json = Flags.Switch("json", "Machine-readable lines, no colours.");

    public void AddTo(Command command)
    {
        command.Arguments.Add(_model);
        foreach (var option in new Option[] { _weights, _sampleSize, _device, _dtype, _network, _batchSizes, _seconds, _json })
            command.Options.Add(option);
    }

    /// <exception cref="BadInputException">A value is none.</exception>
    public BenchRequest Read(ParseResult parsed)
    {
        var seconds = parsed.GetValue(_seconds);
        if (seconds is not (> 0 and <= MostSeconds))
            throw new BadInputException($"--seconds is {seconds}: it must be more than 0, and at most {MostSeconds}.");
        if (parsed.GetValue(_sampleSize) is < 1 and var size)
            throw new BadInputException($"--sample_size is {size}: it must be at least 1.");
        return new(
            new(parsed.GetValue(_model)!, parsed.GetValue(_weights), parsed.GetValue(_sampleSize)), parsed.GetValue(_device)!,
            parsed.GetValue(_dtype) switch
            {
                "float32" => ScalarType.Float32,
                "float16" => ScalarType.Float16,
                "bfloat16" => ScalarType.BFloat16,
                _ => null,
            },
            parsed.GetValue(_network) == "plain" ? NetworkForm.Plain : NetworkForm.Fast,
            parsed.GetValue(_batchSizes) is { } list ? [.. list.Split(',').Select(Batch)] : null, seconds, parsed.GetValue(_json));
    }

    static int Batch(string text)
    {
        var wrong = NumberText.ReadWhole(text.Trim(), 1, MostBatch, out var number);
        return wrong is null ? (int)number : throw new BadInputException($"--batch_sizes has '{text}': {wrong}.");
    }
}
