using System.Text.Json;
using Taba.Diffusion.Native;
using Taba.Diffusion.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace Taba.Diffusion.Models.Features;

/// <summary>
/// DreamSim's ensemble (Fu et al. 2023; the package's version 0.2.1, "ensemble"): class token of DINO, embeddings of OpenAI's CLIP and of
/// OpenCLIP, all ViT-B/16 with low-rank adapters, side by side; less their mean, of length 1. A pair's distance is 1 less their cosine.
/// Owns its parameters; not thread-safe.
/// </summary>
public sealed class DreamSim : IDisposable
{
    /// <summary>Pixels of a picture along each side, whatever its proportions were.</summary>
    public const int Side = 224;

    /// <summary>DINO's own weights, which the package has the hub of torch load into <c>checkpoints</c>.</summary>
    public const string DinoFile = "dino_vitbase16_pretrain.pth";

    /// <summary>OpenAI's CLIP, as the package's archive has it.</summary>
    public const string ClipFile = "clip_vitb16_pretrain.pth.tar";

    /// <summary>OpenCLIP, as the package's archive has it.</summary>
    public const string OpenClipFile = "open_clip_vitb16_pretrain.pth.tar";

    /// <summary>The folder of the adapters: peft's adapter_config.json and adapter_model.safetensors or .bin.</summary>
    public const string AdapterFolder = "ensemble_lora";

    const string AdapterConfig = "adapter_config.json";
    const int MaxConfigBytes = 1 << 20;

    static readonly string[][] s_files = [[DinoFile, Path.Combine("checkpoints", DinoFile)], [ClipFile], [OpenClipFile]];

    static readonly string[] s_adapterFiles =
        [Path.Combine(AdapterFolder, "adapter_model.safetensors"), Path.Combine(AdapterFolder, "adapter_model.bin")];

    static readonly BranchSizes[] s_ensemble =
    [
        new(new(768, 12, 12, 3072, 1e-6, QuickGelu: false), Side, 16, 0),
        new(new(768, 12, 12, 3072, 1e-5, QuickGelu: true), Side, 16, 512),
        new(new(768, 12, 12, 3072, 1e-5, QuickGelu: false), Side, 16, 512),
    ];

    readonly DreamSimBranch[] _branches;
    readonly int _side;

    DreamSim(DreamSimBranch[] branches, BranchSizes[] sizes)
    {
        (_branches, _side) = (branches, sizes[0].Side);
        Width = sizes.Sum(branch => branch.Width);
    }

    /// <summary>Values of an embedding: 1792.</summary>
    public int Width { get; }

    /// <summary>Builds the network from the folder that the package itself fills (its <c>cache_dir</c>, ./models by default).</summary>
    /// <exception cref="InvalidDataException">A file is missing, or the adapters are of another kind.</exception>
    /// <exception cref="WeightsFormatException">A file is damaged or hostile.</exception>
    /// <exception cref="WeightsMismatchException">A checkpoint is of another architecture.</exception>
    public static DreamSim Load(string folder, Device device)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        var scale = Scale(Path.Combine(folder, AdapterFolder, AdapterConfig));
        using var dino = WeightsFile.Open(Require(folder, s_files[0]));
        using var clip = WeightsFile.Open(Require(folder, s_files[1]));
        using var openClip = WeightsFile.Open(Require(folder, s_files[2]));
        using var adapters = WeightsFile.Open(Require(folder, s_adapterFiles));
        return Load(s_ensemble, [dino, clip, openClip], adapters, scale, device);
    }

    /// <summary>The files that numbers depend on.</summary>
    /// <exception cref="InvalidDataException">One is missing.</exception>
    public static IReadOnlyList<string> Files(string folder) =>
    [
        Require(folder, Path.Combine(AdapterFolder, AdapterConfig)), Require(folder, s_adapterFiles),
        .. s_files.Select(names => Require(folder, names)),
    ];

    /// <summary>Checks the folder without loading the network.</summary>
    /// <inheritdoc cref="Load(string, Device)" path="/exception"/>
    public static void Check(string folder)
    {
        var scale = Scale(Path.Combine(folder, AdapterFolder, AdapterConfig));
        var files = s_files.Select(names => Require(folder, names)).ToList();
        using var adapters = WeightsFile.Open(Require(folder, s_adapterFiles));
        foreach (var (branch, sizes) in s_ensemble.Index())
        {
            using var weights = WeightsFile.Open(files[branch]);
            Check(branch, sizes, weights, adapters, scale);
        }
    }

    /// <summary>Checks one transformer and its adapters.</summary>
    internal static void Check(int branch, BranchSizes sizes, IWeightSource weights, IWeightSource adapters, double scale)
    {
        var adapted = new AdaptedAttention(weights, adapters, branch, scale);
        FeatureParameters.Require(adapted, DreamSimBranch.Parameters(sizes));
        adapted.CheckAdapters(sizes.Sizes.Layers);
    }

    internal static DreamSim Load(
        BranchSizes[] sizes, IWeightSource[] weights, IWeightSource adapters, double scale, Device device)
    {
        var branches = new List<DreamSimBranch>();
        try
        {
            foreach (var (branch, source) in sizes.Zip(weights))
                branches.Add(DreamSimBranch.Load(branch, new AdaptedAttention(source, adapters, branches.Count, scale), device));
            return new([.. branches], sizes);
        }
        catch
        {
            branches.ForEach(branch => branch.Dispose());
            throw;
        }
    }

    /// <summary>The embeddings of pictures.</summary>
    /// <param name="pictures">[B,3,224,224] in [0,1]: see <see cref="PictureInput.Squeezed"/>.</param>
    /// <returns>[B,1792], each of mean 0 and length 1.</returns>
    /// <exception cref="ArgumentException">The pictures have another size.</exception>
    public Tensor Forward(Tensor pictures)
    {
        FeatureParameters.RequirePictures(pictures, _side, "DreamSim");
        if (pictures.shape[2] != _side || pictures.shape[3] != _side)
            throw new ArgumentException($"DreamSim takes pictures of {_side}x{_side} pixels.", nameof(pictures));

        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        var joined = cat([.. _branches.Select(branch => branch.Forward(pictures))], 1);
        var centred = joined.sub(joined.mean([1], keepdim: true));
        return centred.div(centred.mul(centred).sum(1, keepdim: true).sqrt()).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        foreach (var branch in _branches)
            branch.Dispose();
    }

    static string Require(string folder, params string[] names) =>
        names.Select(name => Path.Combine(folder, name)).FirstOrDefault(File.Exists)
        ?? throw new InvalidDataException(
            $"The folder {folder} has no {string.Join(" or ", names)}; name the folder that the dreamsim package has loaded its "
            + "ensemble into.");

    /// <summary>By what the product of the adapters is multiplied.</summary>
    static double Scale(string path)
    {
        var config = BoundedJson.ReadObject(path, MaxConfigBytes);
        var isPlain = !(config.TryGetProperty("use_rslora", out var rooted) && rooted.ValueKind == JsonValueKind.True)
            && !(config.TryGetProperty("use_dora", out var dora) && dora.ValueKind == JsonValueKind.True);
        return isPlain && Number("r") is > 0 and var rank && Number("lora_alpha") is { } alpha
            ? alpha / rank
            : throw new InvalidDataException($"{path} does not describe plain low-rank adapters: r above 0 and lora_alpha.");

        double? Number(string name) => config.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number
            ? value.GetDouble() : null;
    }
}
