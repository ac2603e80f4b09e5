using Taba.Diffusion.Models.Layers;
using Taba.Diffusion.Native;
using Taba.Diffusion.Weights;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Taba.Diffusion.Models.Features;

/// <summary>
/// The Inception network that FID, KID and the Inception Score are measured of (2015-12-05): 2048 features and, of them, 1008 logits
/// without their bias, as torch-fidelity. Batch normalisations are folded into the convolutions. Owns its parameters; not thread-safe.
/// </summary>
public sealed class InceptionFeatures : IDisposable
{
    /// <summary>Pixels of a picture along each side.</summary>
    public const int Side = 299;

    /// <summary>Features of a picture.</summary>
    public const int Width = 2048;

    /// <summary>Logits of a picture.</summary>
    public const int Classes = 1008;

    const double NormEps = 1e-3;
    const string Logits = "fc.weight";

    static readonly Scalar s_middle = 128.ToScalar();

    readonly ParameterSet _parameters;

    InceptionFeatures(ParameterSet parameters) => _parameters = parameters;

    /// <summary>Names and shapes as the checkpoint has them; its fc.bias and counters are passed over.</summary>
    public static IReadOnlyList<KeyValuePair<string, long[]>> Parameters()
    {
        var list = new ParameterList();
        foreach (var layer in InceptionPlan.Convolutions)
        {
            list.Add($"{layer.Name}.conv.weight", layer.Out, layer.In, layer.Height, layer.Width);
            list.Norm($"{layer.Name}.bn", layer.Out);
            list.Add($"{layer.Name}.bn.running_mean", layer.Out);
            list.Add($"{layer.Name}.bn.running_var", layer.Out);
        }

        list.Add(Logits, Classes, Width);
        return list.Items;
    }

    /// <summary>Builds the network from a checkpoint.</summary>
    /// <exception cref="WeightsMismatchException">The checkpoint is of another architecture.</exception>
    public static InceptionFeatures Load(IWeightSource weights, Device device)
    {
        ArgumentNullException.ThrowIfNull(weights);
        var expected = Parameters();
        var some = new SomeWeights(weights, expected.Select(parameter => parameter.Key));
        WeightsMismatchException.ThrowIfDifferent(some, expected);
        var folded = new ParameterList();
        foreach (var layer in InceptionPlan.Convolutions)
        {
            folded.Add($"{layer.Name}.weight", layer.Out, layer.In, layer.Height, layer.Width);
            folded.Add($"{layer.Name}.bias", layer.Out);
        }

        folded.Add(Logits, Classes, Width);
        var names = InceptionPlan.Convolutions.Select(layer => layer.Name).ToArray();
        return new(FeatureParameters.Load(new FoldedNorms(some, names, NormEps), folded.Items, device));
    }

    /// <summary>The features of pictures, and their logits.</summary>
    /// <param name="pictures">[B,3,299,299] from 0 to 255: see <see cref="PictureInput.LikeTensorFlow1"/>.</param>
    /// <returns>[B,2048] and [B,1008].</returns>
    /// <exception cref="ArgumentException">The pictures have another size.</exception>
    public (Tensor Features, Tensor Logits) Forward(Tensor pictures)
    {
        FeatureParameters.RequirePictures(pictures, Side, "Inception");
        if (pictures.shape[2] != Side || pictures.shape[3] != Side)
            throw new ArgumentException($"Inception takes pictures of {Side}x{Side} pixels.", nameof(pictures));

        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        var x = pictures.sub(s_middle).div(s_middle);
        for (var i = 0; i < InceptionPlan.Stem.Count; i++)
        {
            x = Replaced(x, Apply(InceptionPlan.Stem[i], x));
            if (i is 2 or 4)
                x = Replaced(x, max_pool2d(x, 3, 2));
        }

        foreach (var block in InceptionPlan.Blocks)
            x = Replaced(x, Mixed(block, x));

        var features = x.mean([2, 3]);
        var logits = linear(features, _parameters[Logits]);
        return (features.MoveToOuterDisposeScope(), logits.MoveToOuterDisposeScope());
    }

    public void Dispose() => _parameters.Dispose();

    static Tensor Replaced(Tensor old, Tensor next)
    {
        old.Dispose();
        return next;
    }

    Tensor Mixed(InceptionBlock block, Tensor x)
    {
        using var scope = NewDisposeScope();
        var maps = new List<Tensor>();
        foreach (var branch in block.Branches)
        {
            var map = Pooled(branch.Pooling, x);
            foreach (var layer in branch.Chain)
                map = Apply(layer, map);
            maps.AddRange(branch.Fork.Count == 0 ? [map] : branch.Fork.Select(layer => Apply(layer, map)));
        }

        return cat(maps, 1).MoveToOuterDisposeScope();
    }

    static Tensor Pooled(InceptionPooling pooling, Tensor x) => pooling switch
    {
        InceptionPooling.Average => avg_pool2d(x, 3, stride: 1, padding: 1, count_include_pad: false),
        InceptionPooling.Maximum => max_pool2d(x, 3, stride: 1, padding: 1),
        InceptionPooling.Halving => max_pool2d(x, 3, stride: 2),
        _ => x,
    };

    Tensor Apply(InceptionConvolution layer, Tensor x)
    {
        using var scope = NewDisposeScope();
        long[] padding = layer.Padded ? [layer.Height / 2, layer.Width / 2] : [0, 0];
        var map = conv2d(
            x,
            _parameters[$"{layer.Name}.weight"],
            _parameters[$"{layer.Name}.bias"],
            strides: [layer.Stride, layer.Stride],
            padding: padding);
        return relu(map, inplace: true).MoveToOuterDisposeScope();
    }
}
