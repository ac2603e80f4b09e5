using Taba.Diffusion.Metrics.Experiments;

namespace Taba.Client.Reports;

/// <summary>Metrics by their dotted paths in metrics.json, for those who draw and tell them.</summary>
static class MetricKeys
{
    public const string Correlation = "correlation.mean";
    public const string Floor = "noise_correlation.mean";
    public const string AboveFloor = ExperimentNumbers.AboveNoise;
    public const string ImageError = "reconstruction_error_images";
    public const string NoiseError = "reconstruction_error_noise";
    public const string Divergence = "kl_div_noise_latent";
    public const string LatentMean = "latent_stats.mean";
    public const string LatentStd = "latent_stats.std";
    public const string NoiseStd = "noise_stats.std";
}
