using System.Collections.Immutable;
using System.Globalization;
using Taba.Diffusion.Weights;

namespace Taba.Diffusion.Models.Adm;

/// <summary>
/// Works out a guided-diffusion UNet's flags from the shapes of its checkpoint (openai/guided-diffusion, unet.py). Shapes tell widths,
/// blocks, levels, attention, classes and the learned variance; nothing of heads, of the size of the pictures and of the schedule.
/// </summary>
public static class AdmShapes
{
    /// <summary>Flags of which no shape says anything: what is read for them is a guess.</summary>
    public static readonly ImmutableArray<string> Untold =
    [
        "image_size", "num_heads", "num_heads_upsample", "num_head_channels", "use_new_attention_order", "diffusion_steps",
        "noise_schedule", "rescale_timesteps",
    ];

    static readonly string[] s_upsampling = ["conv.weight", "in_layers.2.weight"];

    static readonly int[] s_usualSizes = [32, 64, 128, 256, 512];

    /// <summary>True for names that guided-diffusion's UNet has.</summary>
    public static bool IsAdm(IWeightSource weights) =>
        weights.TryGetShape("time_embed.0.weight", out _) && weights.TryGetShape("input_blocks.0.0.weight", out _)
        && weights.TryGetShape("out.2.weight", out _);

    /// <param name="weights">The checkpoint.</param>
    /// <param name="imageSize">Height and width of its pictures; null takes what is usual for its levels.</param>
    /// <exception cref="InvalidDataException">It is no such UNet, or its levels are of no usual size and none is given.</exception>
    public static AdmConfig Read(IWeightSource weights, int? imageSize)
    {
        if (!IsAdm(weights))
        {
            throw new InvalidDataException(
                $"{weights.Description} is not a UNet of guided-diffusion: it has no time_embed.0.weight, input_blocks.0.0.weight and "
                + $"out.2.weight; it begins with {string.Join(", ", weights.Names.Take(3))}.");
        }
        var channels = (int)Shape("time_embed.0.weight", 2)[1];
        var outputs = Count("output_blocks");
        var ups = Enumerable.Range(0, outputs).Where(k => UpsampleOf(k) is not null).ToList();
        var perLevel = ups.Count > 0 ? ups[0] + 1 : outputs;
        if (outputs == 0 || channels < 1 || outputs % perLevel != 0)
            throw Differs("its blocks do not divide into levels");
        var widths = Enumerable.Range(0, outputs / perLevel).Reverse()
            .Select(level => (int)Shape($"output_blocks.{level * perLevel}.0.out_layers.3.weight", 4)[0]).ToList();
        var size = imageSize ?? Array.Find(s_usualSizes, s => Widths(s).SequenceEqual(widths));
        if (size == 0)
        {
            throw new InvalidDataException(
                $"{weights.Description} has levels of {string.Join(", ", widths)} channels, which go with no usual size of pictures: give "
                + "--image_size.");
        }
        var config = new AdmConfig
        {
            ImageSize = size,
            NumChannels = channels,
            NumResBlocks = perLevel - 1,
            ChannelMult = Widths(size).SequenceEqual(widths) ? [] : [.. widths.Select(Multiplier)],
            AttentionResolutions =
            [
                .. Enumerable.Range(0, widths.Count).Where(level => Has($"input_blocks.{1 + level * perLevel}.1.qkv.weight"))
                    .Select(level => size >> level),
            ],
            ClassCond = Has("label_emb.weight"),
            NumClasses = Has("label_emb.weight") ? (int)Shape("label_emb.weight", 2)[0] : AdmConfig.ImageNetClasses,
            UseScaleShiftNorm = Shape("middle_block.0.emb_layers.1.weight", 2)[0] == 2 * Shape("middle_block.0.out_layers.3.weight", 4)[0],
            ResblockUpdown = ups.Count > 0 && UpsampleOf(ups[0])!.EndsWith("in_layers.2.weight", StringComparison.Ordinal),
            LearnSigma = Shape("out.2.weight", 4)[0] == 6,
        };
        config.Validate(weights.Description);
        WeightsMismatchException.ThrowIfDifferent(weights, AdmParameters.Expected(config));
        return config;

        IEnumerable<int> Widths(int s) => AdmConfig.UsualMultipliers(s).Select(m => (int)(m * channels));

        int Multiplier(int width) => width % channels == 0
            ? width / channels
            : throw Differs($"a level has {width} channels, which is no multiple of {channels}");

        // Behind the residual block, or behind its attention; a convolution, or another residual block.
        string? UpsampleOf(int block) => Enumerable.Range(1, 2)
            .SelectMany(layer => s_upsampling.Select(weight => $"output_blocks.{block}.{layer}.{weight}"))
            .FirstOrDefault(Has);

        bool Has(string name) => weights.TryGetShape(name, out _);

        long[] Shape(string name, int axes) =>
            weights.TryGetShape(name, out var shape) && shape.Length == axes && shape.All(n => n is > 0 and < 1 << 20)
                ? shape
                : throw Differs($"it lacks {name} of {axes} axes");

        int Count(string part) => weights.Names
            .Where(name => name.StartsWith(part + ".", StringComparison.Ordinal))
            .Select(name => name.Split('.')[1])
            .Select(text => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var index) ? index + 1 : 0)
            .DefaultIfEmpty().Max() is var count and < 1024 ? count : throw Differs("it has too many blocks");

        InvalidDataException Differs(string how) =>
            new($"{weights.Description} is not a UNet of guided-diffusion as it is read here: {how}.");
    }
}
