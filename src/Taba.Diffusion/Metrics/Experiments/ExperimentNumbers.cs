using System.Text.Json.Nodes;
using Taba.Diffusion.Metrics.Uncertainty;

namespace Taba.Diffusion.Metrics.Experiments;

/// <summary>The numbers of a run, and how sure they are.</summary>
/// <param name="Metrics">By upstream's keys.</param>
/// <param name="Intervals">
/// By a number's path in <paramref name="Metrics"/>, with dots: <c>low</c> and <c>high</c> of the 95 % interval and, where two runs can be
/// compared row by row, <c>replicates</c>. Besides <see cref="AboveNoise"/>. Empty below 32 rows.
/// </param>
public sealed record ExperimentNumbers(JsonObject Metrics, JsonObject Intervals)
{
    /// <summary>The key of what the correlation of latents is above that of their own noise, with <c>mean</c> and <c>p_value</c>.</summary>
    public const string AboveNoise = "correlation_above_noise";

    /// <summary>Adds what is known of a number; nothing that is no number.</summary>
    internal void Add(string path, Interval interval, Jackknife? jackknife)
    {
        if (!double.IsFinite(interval.Low) || !double.IsFinite(interval.High))
            return;
        var told = new JsonObject { ["low"] = interval.Low, ["high"] = interval.High };
        if (jackknife is not null && jackknife.Replicates.All(double.IsFinite))
            told["replicates"] = new JsonArray([.. jackknife.Replicates.Select(r => (JsonNode)r)]);
        Intervals[path] = told;
    }

    internal void Add(string path, Jackknife? jackknife)
    {
        if (jackknife is not null)
            Add(path, jackknife.Interval, jackknife);
    }

    internal void AddAboveNoise(Jackknife above)
    {
        Add(AboveNoise, above.Interval, null);
        if (Intervals[AboveNoise] is not JsonObject told)
            return;
        told["mean"] = above.Value;
        if (double.IsFinite(above.PValue))
            told["p_value"] = above.PValue;
    }
}
