using Taba.Diffusion.Models.Layers;
using Taba.Diffusion.Native;
using Taba.Diffusion.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace Taba.Diffusion.Models.Features;

/// <summary>The form of one of DreamSim's transformers.</summary>
/// <param name="Sizes">Of the blocks.</param>
/// <param name="Side">Pixels of a picture along each side, a multiple of the patch.</param>
/// <param name="Patch">Pixels of a patch along each side.</param>
/// <param name="Projected">
/// CLIP's: tokens are normalised before the blocks, the class token behind them and projected to this width. 0: DINO's, whose class token
/// is taken as the last block leaves it.
/// </param>
sealed record BranchSizes(TransformerSizes Sizes, int Side, int Patch, int Projected)
{
    /// <summary>Values that it gives of a picture.</summary>
    public int Width => Projected > 0 ? Projected : Sizes.Width;
}

/// <summary>One of DreamSim's transformers, by timm's names. Owns its parameters.</summary>
sealed class DreamSimBranch : IDisposable
{
    const string Patches = "patch_embed.proj";
    const string FirstNorm = "pos_drop";
    const string LastNorm = "norm";
    const string Projection = "proj";

    readonly BranchSizes _sizes;
    readonly ParameterSet _parameters;
    readonly PreNormBlock[] _blocks;
    readonly Convolution _patches;
    readonly Tensor _mean;
    readonly Tensor _deviation;

    DreamSimBranch(BranchSizes sizes, ParameterSet parameters)
    {
        (_sizes, _parameters) = (sizes, parameters);
        _patches = parameters.Conv(Patches, stride: sizes.Patch, padding: 0);
        _blocks = [.. Enumerable.Range(0, sizes.Sizes.Layers)
            .Select(i => new PreNormBlock(sizes.Sizes, BlockNames.Timm, parameters, $"blocks.{i}"))];
        var isClip = sizes.Projected > 0;
        _mean = Channels(isClip ? ClipFeatures.Mean : VitFeatures.Mean);
        _deviation = Channels(isClip ? ClipFeatures.Deviation : VitFeatures.Deviation);

        Tensor Channels(IReadOnlyList<float> of) => PictureInput.PerChannel(parameters.Device, of[0], of[1], of[2]);
    }

    /// <summary>Names and shapes, the attention's projections apart.</summary>
    public static IReadOnlyList<KeyValuePair<string, long[]>> Parameters(BranchSizes sizes)
    {
        var width = sizes.Sizes.Width;
        var list = new ParameterList();
        list.Add("cls_token", 1, 1, width);
        list.Add("pos_embed", 1, 1 + (sizes.Side / sizes.Patch * (sizes.Side / sizes.Patch)), width);
        list.Conv(Patches, 3, width, sizes.Patch);
        for (var i = 0; i < sizes.Sizes.Layers; i++)
            PreNormBlock.Declare(list, sizes.Sizes, BlockNames.Timm, $"blocks.{i}");
        if (sizes.Projected == 0)
            return list.Items;
        list.Norm(FirstNorm, width);
        list.Norm(LastNorm, width);
        list.Add(Projection, width, sizes.Projected);
        return list.Items;
    }

    /// <exception cref="WeightsMismatchException">The checkpoint is of another architecture.</exception>
    public static DreamSimBranch Load(BranchSizes sizes, IWeightSource weights, Device device) =>
        new(sizes, FeatureParameters.Load(weights, Parameters(sizes), device));

    /// <param name="pictures">[B,3,side,side] in [0,1].</param>
    /// <returns>[B,width].</returns>
    public Tensor Forward(Tensor pictures)
    {
        using var scope = NewDisposeScope();
        var tokens = _patches.Forward(pictures.sub(_mean).div(_deviation)).flatten(2).transpose(1, 2);
        var first = _parameters["cls_token"].expand(pictures.shape[0], -1, -1);
        var x = cat([first, tokens], 1).add(_parameters["pos_embed"], Scalars.One);
        if (_sizes.Projected > 0)
            x = Norm(FirstNorm).Forward(x);
        foreach (var block in _blocks)
            block.Apply(x, null);
        var token = x.select(1, 0);
        if (_sizes.Projected > 0)
            token = Norm(LastNorm).Forward(token).matmul(_parameters[Projection]);
        return token.MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        _parameters.Dispose();
        _mean.Dispose();
        _deviation.Dispose();
    }

    FeatureNorm Norm(string name) => new(_parameters, name, _sizes.Sizes.Eps);
}
