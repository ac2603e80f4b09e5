namespace Taba.Diffusion.Metrics.PlainAreas;

/// <summary>Images as bytes, as upstream's pixel metrics make them: cut off, not rounded.</summary>
static class PixelBytes
{
    internal static PixelScale Known(PixelScale scale) => Enum.IsDefined(scale)
        ? scale : throw new ArgumentOutOfRangeException(nameof(scale), scale, "There is no such scale of pixels.");

    internal static byte Of(float value, PixelScale scale)
    {
        var bytes = scale switch
        {
            PixelScale.Signed => (value + 1) * 0.5f * 255,
            PixelScale.Unit => value * 255,
            _ => value,
        };
        return float.IsNaN(bytes) ? (byte)0 : (byte)Math.Clamp(bytes, 0, 255);
    }
}
