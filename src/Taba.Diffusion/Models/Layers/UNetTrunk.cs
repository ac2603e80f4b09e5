using static TorchSharp.torch;

namespace Taba.Diffusion.Models.Layers;

/// <summary>
/// The common way through the UNets of diffusers: from the first convolution down, through the middle, up to the last convolution.
/// </summary>
/// <param name="parameters">Holds <c>conv_in</c>, <c>conv_norm_out</c> and <c>conv_out</c>.</param>
/// <param name="down">On the way down, shallowest first.</param>
/// <param name="mid">Between the ways.</param>
/// <param name="up">On the way up, deepest first.</param>
/// <param name="lastNorm">Groups and epsilon of the last normalisation.</param>
/// <param name="activation">Before the last convolution.</param>
sealed class UNetTrunk(
    ParameterSet parameters, UNetBlock[] down, UNetBlock mid, UNetBlock[] up, (int Groups, double Epsilon) lastNorm, Activation activation)
{
    const string ConvIn = "conv_in";

    readonly Convolution _convIn = parameters.Conv(ConvIn);
    readonly GroupNorm _normOut = parameters.Norm("conv_norm_out", lastNorm.Groups, lastNorm.Epsilon);
    readonly Convolution _convOut = parameters.Conv("conv_out");

    /// <summary>The type that the network computes in.</summary>
    public static ScalarType DtypeOf(ParameterSet parameters) => parameters[$"{ConvIn}.weight"].dtype;

    /// <summary>Evaluates the trunk.</summary>
    /// <param name="x">[B,C,H,W], in the network's type; stays as it is.</param>
    /// <param name="emb">Of <see cref="TimeProjections.Prepare"/>.</param>
    /// <param name="text">[B,L,text width]; null when attentions take none.</param>
    /// <param name="observe">Sees outputs by the names of the layers, and must not keep them.</param>
    /// <returns>[B,out channels,H,W], float32.</returns>
    public Tensor Forward(Tensor x, Tensor emb, Tensor? text, Action<string, Tensor>? observe)
    {
        using var scope = NewDisposeScope();
        var h = _convIn.Forward(parameters.IsFast ? MemoryLayout.ChannelsLast(x) : MemoryLayout.Suited(x));
        observe?.Invoke(ConvIn, h);

        var skips = new Stack<Tensor>();
        skips.Push(h);
        foreach (var block in down)
        {
            h = block.Down(h, skips, emb, text);
            observe?.Invoke(block.Name, h);
        }

        h = mid.Middle(h, emb, text);
        observe?.Invoke(mid.Name, h);
        foreach (var block in up)
        {
            h = block.Up(h, skips, emb, text);
            observe?.Invoke(block.Name, h);
        }

        h = h.Then(y => _normOut.Forward(y, activation)).Then(_convOut.Forward);
        return h.AtLeastSingle().contiguous().MoveToOuterDisposeScope();
    }
}
