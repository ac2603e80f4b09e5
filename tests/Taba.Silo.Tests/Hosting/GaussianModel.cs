using Taba.Grains.Sweeps;

namespace Taba.Silo.Tests.Hosting;

/// <summary>A model without weights, for tests of everything around the network.</summary>
static class GaussianModel
{
    public static ModelSelection Write(string folder, double deviation = 0.5, int imageSize = 8)
    {
        var path = Path.Combine(folder, "model.json");
        File.WriteAllText(path, $$"""
            { "family": "gaussian", "image_size": {{imageSize}}, "channels": 3, "mean": 0.1, "deviation": {{deviation}},
              "diffusion_steps": 1000, "noise_schedule": "linear", "rescale_timesteps": false }
            """);
        return new ModelSelection(path);
    }
}
