using static TorchSharp.torch;

namespace Taba.Diffusion.Models.Dit;

/// <summary>
/// The fixed positions of a transformer's patches: half of the width from the column, half from the row, each [sin, cos] of the index
/// times 10000^(-i / (width/4)) (Peebles and Xie 2023, section 3.2; upstream-behaviour 3.3).
/// </summary>
static class PositionTable
{
    /// <summary>diffusers stretches positions for states of 128 and more by this many in 64.</summary>
    const int BaseSample = 64;

    /// <returns>[1,grid²,width], float32.</returns>
    public static Tensor Make(DitConfig config, Device device)
    {
        var (grid, width) = (config.Grid, config.Width);
        var quarter = width / 4;
        var scale = Math.Max(config.SampleSize / BaseSample, 1);
        var values = new float[grid * grid * width];
        for (var row = 0; row < grid; row++)
        {
            for (var column = 0; column < grid; column++)
            {
                var token = values.AsSpan(((row * grid) + column) * width, width);
                Fill(token[..(width / 2)], (double)column / scale);
                Fill(token[(width / 2)..], (double)row / scale);
            }
        }
        return tensor(values, [1, grid * grid, width], ScalarType.Float32, device);

        void Fill(Span<float> half, double position)
        {
            for (var i = 0; i < quarter; i++)
            {
                var angle = position * Math.Pow(10000, -(double)i / quarter);
                half[i] = (float)Math.Sin(angle);
                half[quarter + i] = (float)Math.Cos(angle);
            }
        }
    }
}
