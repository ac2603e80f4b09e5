using Taba.Diffusion.Models.Layers;

namespace Taba.Diffusion.Models.Adm;

/// <summary>Turns planned layers into layers with parameters.</summary>
sealed class AdmLayerFactory(AdmConfig config, LayerOptions options, ParameterSet parameters)
{
    /// <summary>guided-diffusion names neither in its configs.</summary>
    const int Groups = 32;

    const double Eps = 1e-5;

    public ILayer[] Block(IReadOnlyList<LayerPlan> plans) => [.. plans.Select(Layer)];

    public GroupNorm Norm(string prefix) => parameters.Norm(prefix, Groups, Eps);

    public Convolution Conv(string prefix, long stride = 1) => parameters.Conv(prefix, stride);

    ILayer Layer(LayerPlan plan) => plan switch
    {
        ConvPlan conv => new ConvLayer(options, Conv(conv.Prefix, conv.Resampling == Resampling.Down ? 2 : 1), conv.Resampling),
        ResBlockPlan block => new ResBlock(
            options, block.Resampling, config.UseScaleShiftNorm, parameters.Times, parameters.Times.Add($"{block.Prefix}.emb_layers.1"))
        {
            InNorm = Norm($"{block.Prefix}.in_layers.0"),
            InConv = Conv($"{block.Prefix}.in_layers.2"),
            OutNorm = Norm($"{block.Prefix}.out_layers.0"),
            OutConv = Conv($"{block.Prefix}.out_layers.3"),
            Skip = block.In == block.Out ? null : Conv($"{block.Prefix}.skip_connection"),
        },
        AttentionPlan attention => new AttentionBlock(options, attention.Heads, config.UseNewAttentionOrder)
        {
            Norm = Norm($"{attention.Prefix}.norm"),
            Qkv = Conv($"{attention.Prefix}.qkv"),
            ProjOut = Conv($"{attention.Prefix}.proj_out"),
        },
        _ => throw new ArgumentException($"{plan.Prefix} is a layer of an unknown kind.", nameof(plan)),
    };
}
