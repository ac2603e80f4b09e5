using static TorchSharp.torch;

namespace Taba.Diffusion.Models.Layers;

/// <summary>Several linear layers of equal widths over one input, such as queries, keys and values.</summary>
/// <param name="layers">One for each, or one that does what all do.</param>
/// <param name="count">How many results there are.</param>
sealed class LinearGroup(Linear[] layers, int count)
{
    /// <param name="x">[...,In].</param>
    /// <returns>Each [...,Out]; parts of one tensor where one layer made them.</returns>
    public Tensor[] Forward(Tensor x) =>
        layers.Length == count ? [.. layers.Select(layer => layer.Forward(x))] : layers[0].Forward(x).chunk(count, -1);
}
