namespace Taba.Silo.Pictures;

/// <summary>Which values become black and white; others are clamped.</summary>
public readonly record struct ValueRange(float Low, float High)
{
    /// <summary>Images in model space.</summary>
    public static readonly ValueRange Image = new(-1, 1);

    /// <summary>Noise and latents: three deviations of a standard normal.</summary>
    public static readonly ValueRange Latent = new(-3, 3);

    /// <summary>|x - x̂|: black is none; errors above a half are rare and drawn white.</summary>
    public static readonly ValueRange Error = new(0, 0.5f);

    /// <summary>NaN, which a failed sample has, is drawn black.</summary>
    public byte Byte(float value) =>
        float.IsNaN(value) ? (byte)0 : (byte)Math.Clamp(MathF.Round(255 * (value - Low) / (High - Low)), 0, 255);
}
