namespace Taba.Silo.Pictures;

/// <summary>What the tensors of a run are called where their pictures are shown.</summary>
public static class PictureTitles
{
    public const string Noise = "noise x_T";
    public const string Samples = "samples x_0";
    public const string Latents = "inverted latents x̂_T";
    public const string Reconstructions = "reconstructions x̂_0";
}
