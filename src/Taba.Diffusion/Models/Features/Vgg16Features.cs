using Taba.Diffusion.Models.Layers;
using Taba.Diffusion.Weights;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Taba.Diffusion.Models.Features;

/// <summary>
/// VGG16 (Simonyan and Zisserman 2015) up to the rectifier behind its second fully connected layer, 4096 features, by torchvision's names:
/// what torch-fidelity measures precision and recall of. Owns its parameters; not thread-safe.
/// </summary>
public sealed class Vgg16Features : IDisposable
{
    /// <summary>Pixels of a picture along each side.</summary>
    public const int Side = 224;

    /// <summary>Features of a picture.</summary>
    public const int Width = 4096;

    // Channels of the convolutions; 0 halves the map.
    static readonly int[] s_plan = [64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0];

    readonly ParameterSet _parameters;
    readonly Convolution?[] _layers;
    readonly Tensor _mean;
    readonly Tensor _deviation;

    Vgg16Features(ParameterSet parameters, int divisor)
    {
        _parameters = parameters;
        _layers = [.. Layers(divisor).Select(layer => layer.Name is null ? null : parameters.Conv(layer.Name))];
        _mean = PictureInput.PerChannel(parameters.Device, 123.675f, 116.28f, 103.53f);
        _deviation = PictureInput.PerChannel(parameters.Device, 58.395f, 57.12f, 57.375f);
    }

    /// <summary>Names and shapes; a checkpoint's last layer is passed over.</summary>
    public static IReadOnlyList<KeyValuePair<string, long[]>> Parameters() => Parameters(1);

    /// <summary>With all widths divided, for tests: the whole network has 134 million parameters.</summary>
    internal static IReadOnlyList<KeyValuePair<string, long[]>> Parameters(int divisor)
    {
        var list = new ParameterList();
        foreach (var (name, input, output) in Layers(divisor))
        {
            if (name is not null)
                list.Conv(name, input, output, 3);
        }

        list.Linear("classifier.0", 512 / divisor * 7 * 7, Width / divisor);
        list.Linear("classifier.3", Width / divisor, Width / divisor);
        return list.Items;
    }

    /// <summary>Builds the network from a checkpoint.</summary>
    /// <exception cref="WeightsMismatchException">The checkpoint is of another architecture.</exception>
    public static Vgg16Features Load(IWeightSource weights, Device device) => Load(weights, device, 1);

    internal static Vgg16Features Load(IWeightSource weights, Device device, int divisor) =>
        new(FeatureParameters.Load(weights, Parameters(divisor), device), divisor);

    /// <summary>The features of pictures.</summary>
    /// <param name="pictures">[B,3,224,224] from 0 to 255: see <see cref="PictureInput.LikeTensorFlow1"/>.</param>
    /// <returns>[B,4096], 0 or more.</returns>
    /// <exception cref="ArgumentException">The pictures have another size.</exception>
    public Tensor Forward(Tensor pictures)
    {
        FeatureParameters.RequirePictures(pictures, Side, "VGG16");
        if (pictures.shape[2] != Side || pictures.shape[3] != Side)
            throw new ArgumentException($"VGG16 takes pictures of {Side}x{Side} pixels.", nameof(pictures));

        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        var x = pictures.sub(_mean).div(_deviation);
        foreach (var layer in _layers)
        {
            var next = layer is null ? max_pool2d(x, 2, 2) : relu(layer.Forward(x), inplace: true);
            x.Dispose();
            x = next;
        }

        x = relu(_parameters.Linear("classifier.0").Forward(x.flatten(1)), inplace: true);
        return relu(_parameters.Linear("classifier.3").Forward(x), inplace: true).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        _parameters.Dispose();
        _mean.Dispose();
        _deviation.Dispose();
    }

    // torchvision counts a convolution as two layers, for its rectifier, and a halving as one.
    static IEnumerable<(string? Name, int In, int Out)> Layers(int divisor)
    {
        var (index, channels) = (0, 3);
        foreach (var width in s_plan.Select(width => width / divisor))
        {
            yield return width == 0 ? (null, channels, channels) : ($"features.{index}", channels, width);
            (index, channels) = width == 0 ? (index + 1, channels) : (index + 2, width);
        }
    }
}
