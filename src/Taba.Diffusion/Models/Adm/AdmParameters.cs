namespace Taba.Diffusion.Models.Adm;

/// <summary>The parameters that an architecture has, by the names of its state dict.</summary>
public static class AdmParameters
{
    /// <summary>Every parameter's name and shape, in the order of the state dict.</summary>
    public static IReadOnlyList<KeyValuePair<string, long[]>> Expected(AdmConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        var plan = AdmPlan.Of(config);
        var list = new List<KeyValuePair<string, long[]>>();
        Layer("time_embed.0", plan.TimeWidth, config.NumChannels);
        Layer("time_embed.2", plan.TimeWidth, plan.TimeWidth);
        if (config.ClassCond)
            list.Add(new("label_emb.weight", [config.NumClasses, plan.TimeWidth]));
        foreach (var layer in plan.Layers)
        {
            switch (layer)
            {
                case ConvPlan conv:
                    Layer(conv.Prefix, conv.Out, conv.In, 3, 3);
                    break;
                case ResBlockPlan block:
                    Layer($"{block.Prefix}.in_layers.0", block.In);
                    Layer($"{block.Prefix}.in_layers.2", block.Out, block.In, 3, 3);
                    Layer($"{block.Prefix}.emb_layers.1", config.UseScaleShiftNorm ? 2 * block.Out : block.Out, plan.TimeWidth);
                    Layer($"{block.Prefix}.out_layers.0", block.Out);
                    Layer($"{block.Prefix}.out_layers.3", block.Out, block.Out, 3, 3);
                    if (block.In != block.Out)
                        Layer($"{block.Prefix}.skip_connection", block.Out, block.In, 1, 1);
                    break;
                case AttentionPlan attention:
                    Layer($"{attention.Prefix}.norm", attention.Channels);
                    Layer($"{attention.Prefix}.qkv", 3 * attention.Channels, attention.Channels, 1);
                    Layer($"{attention.Prefix}.proj_out", attention.Channels, attention.Channels, 1);
                    break;
            }
        }

        Layer("out.0", plan.OutWidth);
        Layer("out.2", config.OutChannels, plan.OutWidth, 3, 3);
        return list;

        void Layer(string prefix, params long[] weight)
        {
            list.Add(new($"{prefix}.weight", weight));
            list.Add(new($"{prefix}.bias", [weight[0]]));
        }
    }

    /// <summary>
    /// True when a parameter takes the torso's element type: those of the convolutions in input_blocks, middle_block and
    /// output_blocks do. Embeddings, normalisations and the last layer stay float32.
    /// </summary>
    public static bool IsTorso(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return (name.StartsWith("input_blocks.", StringComparison.Ordinal)
                || name.StartsWith("middle_block.", StringComparison.Ordinal)
                || name.StartsWith("output_blocks.", StringComparison.Ordinal))
            && !name.Contains(".emb_layers.", StringComparison.Ordinal)
            && !name.Contains("_layers.0.", StringComparison.Ordinal)
            && !name.Contains(".norm.", StringComparison.Ordinal);
    }
}
