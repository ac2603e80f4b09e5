using Taba.Diffusion.Models.Layers;

namespace Taba.Diffusion.Models.Adm;

/// <summary>One layer of the UNet; <see cref="Prefix"/> is where its parameters are in the state dict.</summary>
abstract record LayerPlan(string Prefix);

/// <summary>A 3x3 convolution, preceded by nearest-neighbour doubling (Up) or with stride 2 (Down).</summary>
sealed record ConvPlan(string Prefix, int In, int Out, Resampling Resampling) : LayerPlan(Prefix);

/// <summary>A residual block with the time embedding, possibly resampling.</summary>
sealed record ResBlockPlan(string Prefix, int In, int Out, Resampling Resampling) : LayerPlan(Prefix);

/// <summary>Self-attention over the pixels.</summary>
sealed record AttentionPlan(string Prefix, int Channels, int Heads) : LayerPlan(Prefix);

/// <summary>
/// The layers that an <see cref="AdmConfig"/> stands for: entries of input_blocks, middle_block and output_blocks in
/// order, each a list of layers (openai/guided-diffusion unet.py).
/// </summary>
sealed record AdmPlan(
    IReadOnlyList<IReadOnlyList<LayerPlan>> Input,
    IReadOnlyList<LayerPlan> Middle,
    IReadOnlyList<IReadOnlyList<LayerPlan>> Output,
    int TimeWidth,
    int OutWidth)
{
    /// <summary>All layers, in the order of the state dict.</summary>
    public IEnumerable<LayerPlan> Layers => Input.SelectMany(b => b).Concat(Middle).Concat(Output.SelectMany(b => b));

    public static AdmPlan Of(AdmConfig config)
    {
        var levels = config.LevelChannels;
        var attention = config.AttentionResolutions.Select(r => config.ImageSize / r).ToHashSet();
        var width = levels[0];
        var shrink = 1;
        var skips = new Stack<int>([width]);
        List<IReadOnlyList<LayerPlan>> input = [[new ConvPlan("input_blocks.0.0", 3, width, Resampling.None)]];
        for (var level = 0; level < levels.Length; level++)
        {
            for (var i = 0; i < config.NumResBlocks; i++)
            {
                var prefix = $"input_blocks.{input.Count}";
                List<LayerPlan> block = [new ResBlockPlan($"{prefix}.0", width, levels[level], Resampling.None)];
                width = levels[level];
                if (attention.Contains(shrink))
                    block.Add(new AttentionPlan($"{prefix}.1", width, config.Heads(width, up: false)));
                input.Add(block);
                skips.Push(width);
            }

            if (level == levels.Length - 1)
                continue;
            var down = $"input_blocks.{input.Count}.0";
            input.Add([config.ResblockUpdown
                ? new ResBlockPlan(down, width, width, Resampling.Down)
                : new ConvPlan($"{down}.op", width, width, Resampling.Down)]);
            skips.Push(width);
            shrink *= 2;
        }

        List<LayerPlan> middle =
        [
            new ResBlockPlan("middle_block.0", width, width, Resampling.None),
            new AttentionPlan("middle_block.1", width, config.Heads(width, up: false)),
            new ResBlockPlan("middle_block.2", width, width, Resampling.None),
        ];

        List<IReadOnlyList<LayerPlan>> output = [];
        for (var level = levels.Length - 1; level >= 0; level--)
        {
            for (var i = 0; i <= config.NumResBlocks; i++)
            {
                var prefix = $"output_blocks.{output.Count}";
                List<LayerPlan> block = [new ResBlockPlan($"{prefix}.0", width + skips.Pop(), levels[level], Resampling.None)];
                width = levels[level];
                if (attention.Contains(shrink))
                    block.Add(new AttentionPlan($"{prefix}.1", width, config.Heads(width, up: true)));
                if (level > 0 && i == config.NumResBlocks)
                {
                    var up = $"{prefix}.{block.Count}";
                    block.Add(config.ResblockUpdown
                        ? new ResBlockPlan(up, width, width, Resampling.Up)
                        : new ConvPlan($"{up}.conv", width, width, Resampling.Up));
                    shrink /= 2;
                }

                output.Add(block);
            }
        }

        return new AdmPlan(input, middle, output, 4 * config.NumChannels, width);
    }
}
