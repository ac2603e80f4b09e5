using System.CommandLine;
using Taba.Grains;
using Taba.Grains.Sweeps;
using Taba.Silo.Devices;
using Taba.Silo.Models;

namespace Taba.Client.Commands;

/// <summary>Flags that every running command takes. Each overrides the key of the same name in a sweep file.</summary>
sealed class CommonFlags
{
    readonly Option<string?> _model = Flags.Of<string?>(
        "model", "A model's name (taba models list), the path of a model.json, or a Hugging Face folder or repository.");
    readonly Option<string?> _weights = Flags.Of<string?>("weights", "A weights file (.pt or .safetensors) for a named model.");
    readonly Option<int?> _sampleSize = Flags.Of<int?>("sample_size", "Height and width of the state; the default is the model's.");
    readonly Option<string?> _device = Flags.Of<string?>(
        "device", $"{SiloDevices.Expected}. The default is auto: one GPU where there is one, else the processor.", "--devices");
    readonly Option<int?> _processes = Flags.Of<int?>(
        "num_processes", "The first so many devices of the kind; on a processor, shares of its cores. It changes no number of a "
        + "--deterministic run.");
    readonly Option<string> _network = Flags.OneOf(
        "network",
        "How networks are computed: fast, or plain, operation by operation, to compare with. Numbers differ by rounding. The default is "
        + "fast.",
        "fast", "plain");
    readonly Option<string> _format;
    readonly Option<string> _dtype = DtypeFlag("dtype", "Precision of the network.");
    readonly Option<string> _stateDtype = DtypeFlag("state_dtype", "Precision of the integrator's state.");
    readonly Option<string> _noiseDtype = DtypeFlag("noise_dtype", "Precision in which noise is drawn.");
    readonly Option<string> _noise = Flags.OneOf("noise", "How noise is addressed. The default is upstream.", "upstream", "per-sample");
    readonly Option<string> _forwardNoise =
        Flags.OneOf(
            "forward_noise", "How the noise of forward replacement is addressed. The default is upstream.", "upstream", "per-sample");
    readonly Option<bool> _deterministic = Flags.Switch(
        "deterministic",
        "Bit-for-bit the same, whatever the batch size, neighbours, devices or restarts. On a processor each device has one thread then: "
        + "add --devices all.");

    public CommonFlags(string defaultFormat)
    {
        _format = Flags.OneOf("format", $"File format of tensors. The default is {defaultFormat}.", "safetensors", "pt", "npy");
        _model.CompletionSources.Add([.. KnownModels.All.Select(m => m.Name)]);
        _device.CompletionSources.Add("auto", "all", "cpu", "cuda");
    }

    public IEnumerable<Option> All =>
    [
        _model, _weights, _sampleSize, _device, _processes, _format, _dtype, _stateDtype, _noiseDtype, _noise, _forwardNoise,
        _deterministic, _network,
    ];

    /// <summary>The flags that were given, as overrides of a sweep file.</summary>
    public IEnumerable<KeyValuePair<string, string>> Overrides(ParseResult parsed)
    {
        foreach (var option in All)
        {
            if (!parsed.IsGiven(option))
                continue;
            var value = option switch
            {
                Option<int?> number => $"{parsed.GetValue(number)}",
                Option<bool> flag => parsed.GetValue(flag) ? "true" : "false",
                _ => $"'{parsed.GetValue((Option<string?>)option)?.Replace("'", "''", StringComparison.Ordinal)}'",
            };
            yield return new(option.Name.TrimStart('-'), value);
        }
    }

    public ModelSelection? Model(ParseResult parsed) => parsed.GetValue(_model) is { } name
        ? new ModelSelection(name, parsed.GetValue(_weights), SampleSize(parsed))
        : null;

    public string? Weights(ParseResult parsed) => parsed.GetValue(_weights);

    public int? SampleSize(ParseResult parsed) => parsed.GetValue(_sampleSize) switch
    {
        < 1 => throw new BadInputException($"--sample_size is {parsed.GetValue(_sampleSize)}: it must be at least 1."),
        var size => size,
    };

    public int? NumProcesses(ParseResult parsed) => parsed.GetValue(_processes);

    public NetworkForm? Network(ParseResult parsed) =>
        parsed.GetValue(_network) is { } name ? Enum.Parse<NetworkForm>(name, ignoreCase: true) : null;

    public string Device(ParseResult parsed) => parsed.GetValue(_device) ?? "auto";

    public TensorFormat Format(ParseResult parsed, TensorFormat otherwise) =>
        parsed.GetValue(_format) is { } name ? Enum.Parse<TensorFormat>(name, ignoreCase: true) : otherwise;

    public PrecisionRequest Precision(ParseResult parsed) => new(
        Dtypes.Find(parsed.GetValue(_dtype)), Dtypes.Find(parsed.GetValue(_stateDtype)), Dtypes.Find(parsed.GetValue(_noiseDtype)));

    public NoiseLayout Noise(ParseResult parsed) => Layout(parsed.GetValue(_noise));

    public NoiseLayout ForwardNoise(ParseResult parsed) => Layout(parsed.GetValue(_forwardNoise));

    public bool Deterministic(ParseResult parsed) => parsed.GetValue(_deterministic);

    static NoiseLayout Layout(string? name) => name == "per-sample" ? NoiseLayout.PerSample : NoiseLayout.Upstream;

    static Option<string> DtypeFlag(string name, string description) =>
        Flags.OneOf(name, $"{description} The default is auto.", "auto", "float32", "float16", "bfloat16");
}
