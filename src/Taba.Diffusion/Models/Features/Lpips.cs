using Taba.Diffusion.Models.Layers;
using Taba.Diffusion.Native;
using Taba.Diffusion.Weights;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Taba.Diffusion.Models.Features;

/// <summary>
/// Learned perceptual distance of pictures (Zhang et al. 2018), version 0.1 with AlexNet, as upstream's diversity script measures it: the
/// features after each of five rectifiers, of length 1 at each pixel, squared differences weighed by channel, means over pixels, summed. 0
/// for equal pictures; unrelated ones are near 0.7. Owns its parameters; not thread-safe.
/// </summary>
public sealed class Lpips : IDisposable
{
    /// <summary>Below it AlexNet's last maps are empty.</summary>
    public const int LeastSide = 31;

    const string Network = "LPIPS";

    static readonly (string Name, int In, int Out, int Kernel, int Stride, int Padding)[] s_layers =
    [
        ("features.0", 3, 64, 11, 4, 2),
        ("features.3", 64, 192, 5, 1, 2),
        ("features.6", 192, 384, 3, 1, 1),
        ("features.8", 384, 256, 3, 1, 1),
        ("features.10", 256, 256, 3, 1, 1),
    ];

    static readonly Scalar s_epsilon = 1e-10.ToScalar();

    readonly ParameterSet _alexNet;
    readonly ParameterSet _weights;
    readonly Convolution[] _convolutions;
    readonly Tensor _shift;
    readonly Tensor _scale;

    Lpips(ParameterSet alexNet, ParameterSet weights)
    {
        (_alexNet, _weights) = (alexNet, weights);
        _convolutions = [.. s_layers.Select(layer => alexNet.Conv(layer.Name, layer.Stride, layer.Padding))];
        _shift = PictureInput.PerChannel(alexNet.Device, -0.030f, -0.088f, -0.188f);
        _scale = PictureInput.PerChannel(alexNet.Device, 0.458f, 0.448f, 0.450f);
    }

    /// <summary>The convolutions of AlexNet, by torchvision's names; a checkpoint's classifier is passed over.</summary>
    public static IReadOnlyList<KeyValuePair<string, long[]>> AlexNetParameters()
    {
        var list = new ParameterList();
        foreach (var layer in s_layers)
            list.Conv(layer.Name, layer.In, layer.Out, layer.Kernel);
        return list.Items;
    }

    /// <summary>The weights of channels, by the names of lpips/weights/v0.1/alex.pth.</summary>
    public static IReadOnlyList<KeyValuePair<string, long[]>> ChannelParameters()
    {
        var list = new ParameterList();
        for (var i = 0; i < s_layers.Length; i++)
            list.Add(ChannelName(i), 1, s_layers[i].Out, 1, 1);
        return list.Items;
    }

    /// <summary>Builds the network from two checkpoints.</summary>
    /// <param name="alexNet">torchvision's AlexNet.</param>
    /// <param name="channels">LPIPS' own.</param>
    /// <param name="device">Where the network lives.</param>
    /// <exception cref="WeightsMismatchException">A checkpoint is of another architecture.</exception>
    public static Lpips Load(IWeightSource alexNet, IWeightSource channels, Device device)
    {
        var features = FeatureParameters.Load(alexNet, AlexNetParameters(), device);
        try
        {
            return new Lpips(features, FeatureParameters.Load(channels, ChannelParameters(), device));
        }
        catch
        {
            features.Dispose();
            throw;
        }
    }

    /// <summary>Distances of pairs.</summary>
    /// <param name="a">[B,3,H,W] in [-1,1], on the network's device: see <see cref="PictureInput.Quantised"/>.</param>
    /// <param name="b">As many of the same size.</param>
    /// <returns>[B].</returns>
    /// <exception cref="ArgumentException">The pictures are too small, or shapes differ.</exception>
    public Tensor Forward(Tensor a, Tensor b)
    {
        FeatureParameters.RequirePictures(a, LeastSide, Network);
        FeatureParameters.RequirePictures(b, LeastSide, Network);
        if (!a.shape.AsSpan().SequenceEqual(b.shape))
            throw new ArgumentException("LPIPS compares pictures of one size.", nameof(b));

        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        var (x, y) = (a.sub(_shift).div(_scale), b.sub(_shift).div(_scale));
        var distance = zeros([a.shape[0]], ScalarType.Float32, a.device);
        for (var i = 0; i < _convolutions.Length; i++)
        {
            (x, y) = (Layer(i, x), Layer(i, y));
            var difference = Directions(x) - Directions(y);
            var weighed = difference.mul_(difference).mul_(_weights[ChannelName(i)]).sum(1);
            distance.add_(weighed.mean([1, 2]), Scalars.One);
        }

        return distance.MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        _alexNet.Dispose();
        _weights.Dispose();
        _shift.Dispose();
        _scale.Dispose();
    }

    static string ChannelName(int layer) => $"lin{layer}.model.1.weight";

    Tensor Layer(int i, Tensor x)
    {
        // AlexNet halves its maps before the second and the third convolution.
        var pooled = i is 1 or 2 ? max_pool2d(x, 3, 2) : x;
        return relu(_convolutions[i].Forward(pooled), inplace: true);
    }

    static Tensor Directions(Tensor x) => x.div(x.mul(x).sum(1, keepdim: true).sqrt().add(s_epsilon, Scalars.One));
}
