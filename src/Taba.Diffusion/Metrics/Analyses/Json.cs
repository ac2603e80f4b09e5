using System.Text.Json.Nodes;
using Taba.Diffusion.Metrics.Experiments;

namespace Taba.Diffusion.Metrics.Analyses;

/// <summary>How analyses tell what they found.</summary>
static class Json
{
    public static ExperimentNumbers Numbers(IEnumerable<KeyValuePair<string, JsonNode?>> numbers) => new(new JsonObject(numbers), []);

    public static JsonObject Of(MeanStd value) => Of(value.Mean, value.Std);

    public static JsonObject Of(double mean, double std) => new() { ["mean"] = mean, ["std"] = std };
}
