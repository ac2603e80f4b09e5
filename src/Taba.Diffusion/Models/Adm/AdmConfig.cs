using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Taba.Diffusion.Json;
using Taba.Diffusion.Schedules;

namespace Taba.Diffusion.Models.Adm;

/// <summary>
/// The architecture of a guided-diffusion UNet, in the words of its flags (Dhariwal and Nichol 2021, openai/guided-diffusion
/// script_util.py). Immutable.
/// </summary>
public sealed record AdmConfig
{
    /// <summary>Classes of guided-diffusion's class-conditional checkpoints.</summary>
    public const int ImageNetClasses = 1000;

    const int NormGroups = 32;

    /// <summary>Height and width of the images.</summary>
    public required int ImageSize { get; init; }

    /// <summary>Base width; a level's width is this times its multiplier.</summary>
    public required int NumChannels { get; init; }

    public required int NumResBlocks { get; init; }

    public int NumHeads { get; init; } = 4;

    /// <summary>Heads on the way up; -1 means <see cref="NumHeads"/>.</summary>
    public int NumHeadsUpsample { get; init; } = -1;

    /// <summary>Channels of a head; -1 means that the number of heads is given instead.</summary>
    public int NumHeadChannels { get; init; } = -1;

    /// <summary>Resolutions, in pixels, at which attention is applied.</summary>
    public ImmutableArray<int> AttentionResolutions { get; init; } = [16, 8];

    /// <summary>Width multiplier of each level; empty means the choice that goes with <see cref="ImageSize"/>.</summary>
    public ImmutableArray<int> ChannelMult { get; init; } = [];

    public bool ClassCond { get; init; }

    /// <summary>Classes of a class-conditional checkpoint: a constant of guided-diffusion's code, which users change there.</summary>
    public int NumClasses { get; init; } = ImageNetClasses;

    public bool UseScaleShiftNorm { get; init; } = true;

    public bool ResblockUpdown { get; init; }

    /// <summary>True when the checkpoint is meant to run with a float16 torso.</summary>
    public bool UseFp16 { get; init; }

    public bool UseNewAttentionOrder { get; init; }

    /// <summary>
    /// True when the network also predicts a variance (three more output channels, which deterministic sampling ignores).
    /// </summary>
    public bool LearnSigma { get; init; }

    public int DiffusionSteps { get; init; } = 1000;

    public NoiseSchedule NoiseSchedule { get; init; } = NoiseSchedule.Linear;

    /// <summary>True when the network receives the step times 1000 / <see cref="DiffusionSteps"/>.</summary>
    public bool RescaleTimesteps { get; init; }

    /// <summary>Channels of the network's output: 3, or 6 with a learned variance.</summary>
    public int OutChannels => LearnSigma ? 6 : 3;

    /// <summary>The state of one sample at the architecture's own size.</summary>
    public StateShape Shape => new(3, ImageSize, ImageSize);

    /// <summary>The widths of the levels, shallowest first.</summary>
    public ImmutableArray<int> LevelChannels =>
        ChannelMult.IsEmpty
            ? [.. UsualMultipliers(ImageSize).Select(m => (int)(m * NumChannels))]
            : [.. ChannelMult.Select(m => m * NumChannels)];

    /// <summary>Reads the flags from a JSON object, refusing what it does not know.</summary>
    /// <param name="element">The object.</param>
    /// <param name="source">The file, for messages.</param>
    /// <exception cref="InvalidDataException">A field is unknown, missing, of the wrong type or out of range.</exception>
    public static AdmConfig Parse(JsonElement element, string source)
    {
        if (element.ValueKind != JsonValueKind.Object)
            throw new InvalidDataException($"{source}: a JSON object is expected, found {element.ValueKind}.");
        var fields = new JsonFields(element, source);
        var config = Read(fields);
        fields.RefuseUnknown();
        config.Validate(source);
        return config;
    }

    internal static AdmConfig Read(JsonFields fields)
    {
        fields.Ignore("dropout", "use_checkpoint", "use_kl", "timestep_respacing", "rescale_learned_sigmas");
        if (fields.Bool("predict_xstart", false))
            throw fields.Wrong("predict_xstart", "false: only networks that predict eps are supported");
        return new AdmConfig
        {
            ImageSize = fields.Int("image_size", null, 1, 4096),
            NumChannels = fields.Int("num_channels", null, 1, 8192),
            NumResBlocks = fields.Int("num_res_blocks", null, 1, 64),
            NumHeads = fields.Int("num_heads", 4, 1, 1024),
            NumHeadsUpsample = Heads("num_heads_upsample"),
            NumHeadChannels = Heads("num_head_channels"),
            AttentionResolutions = [.. fields.IntList("attention_resolutions", "16,8", 4096)],
            ChannelMult = [.. fields.IntList("channel_mult", "", 64)],
            ClassCond = fields.Bool("class_cond", false),
            NumClasses = fields.Int("num_classes", ImageNetClasses, 1, 1_000_000),
            UseScaleShiftNorm = fields.Bool("use_scale_shift_norm", true),
            ResblockUpdown = fields.Bool("resblock_updown", false),
            UseFp16 = fields.Bool("use_fp16", false),
            UseNewAttentionOrder = fields.Bool("use_new_attention_order", false),
            LearnSigma = fields.Bool("learn_sigma", false),
            DiffusionSteps = fields.Int("diffusion_steps", 1000, 1, 1_000_000),
            NoiseSchedule = fields.Schedule("noise_schedule"),
            RescaleTimesteps = fields.Bool("rescale_timesteps", false),
        };

        int Heads(string name)
        {
            var value = fields.Int(name, -1, -1, 8192);
            return value != 0 ? value : throw fields.Wrong(name, "-1 or a positive integer");
        }
    }

    /// <summary>The number of heads of an attention layer.</summary>
    /// <param name="channels">The layer's width.</param>
    /// <param name="up">Whether it lies on the way up.</param>
    public int Heads(int channels, bool up)
    {
        if (NumHeadChannels != -1)
            return channels / NumHeadChannels;
        return up && NumHeadsUpsample != -1 ? NumHeadsUpsample : NumHeads;
    }

    /// <summary>The flags in one canonical line: equal architectures have equal lines.</summary>
    public string Canonical() => string.Create(CultureInfo.InvariantCulture,
        $"adm image_size={ImageSize} num_channels={NumChannels} num_res_blocks={NumResBlocks} "
        + $"levels={string.Join(',', LevelChannels)} attention={string.Join(',', AttentionResolutions.Distinct().OrderDescending())} "
        + $"num_heads={NumHeads} num_heads_upsample={NumHeadsUpsample} num_head_channels={NumHeadChannels} class_cond={ClassCond} "
        + $"{(NumClasses == ImageNetClasses ? "" : $"num_classes={NumClasses} ")}"
        + $"use_scale_shift_norm={UseScaleShiftNorm} resblock_updown={ResblockUpdown} "
        + $"use_new_attention_order={UseNewAttentionOrder} learn_sigma={LearnSigma}");

    internal void Validate(string source)
    {
        var levels = LevelChannels;
        if (levels.IsEmpty)
        {
            throw new InvalidDataException(
                $"{source}: image_size {ImageSize} has no usual multipliers (only 32, 64, 128, 256 and 512 have); give channel_mult.");
        }

        if (NumChannels % 2 != 0)
            throw new InvalidDataException($"{source}: num_channels {NumChannels} must be even (half sines, half cosines).");
        var shrink = 1L << (levels.Length - 1);
        if (ImageSize % shrink != 0)
            throw new InvalidDataException($"{source}: image_size {ImageSize} cannot be halved {levels.Length - 1} times.");
        foreach (var channels in levels)
        {
            if (channels % NormGroups != 0)
                throw new InvalidDataException($"{source}: a level has {channels} channels, which is not a multiple of {NormGroups}.");
        }

        var plan = AdmPlan.Of(this);
        foreach (var attention in plan.Layers.OfType<AttentionPlan>())
        {
            if (attention.Heads < 1 || attention.Channels % attention.Heads != 0
                || (NumHeadChannels != -1 && attention.Channels % NumHeadChannels != 0))
            {
                throw new InvalidDataException(
                    $"{source}: {attention.Prefix} has {attention.Channels} channels, which its heads do not divide: "
                    + "check num_heads, num_heads_upsample and num_head_channels.");
            }
        }
    }

    /// <summary>Multipliers of the width at each level that go with a size of pictures; empty where none do.</summary>
    internal static double[] UsualMultipliers(int imageSize) => imageSize switch
    {
        512 => [0.5, 1, 1, 2, 2, 4, 4],
        256 => [1, 1, 2, 2, 4, 4],
        128 => [1, 1, 2, 3, 4],
        64 => [1, 2, 3, 4],
        32 => [1, 2, 2, 2],
        _ => [],
    };
}
