using System.Text.Json;
using System.Text.Json.Serialization;
using Taba.Silo.Models;

namespace Taba.Client.Reports;

/// <summary>What the paper is said to have measured, from the embedded published.json.</summary>
/// <param name="Paper">Which one.</param>
/// <param name="SecondHand">Where the numbers were read, and what is not known of them.</param>
/// <param name="Samples">N behind them, about.</param>
sealed record PublishedValues(string Paper, string SecondHand, int Samples, IReadOnlyList<PublishedModel> Models)
{
    static readonly JsonSerializerOptions s_json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectRequiredConstructorParameters = true,
    };

    static readonly Lazy<PublishedValues> s_all = new(Read);

    public static PublishedValues All => s_all.Value;

    /// <summary>The paper's values of a run's model; null unless it is one of the paper's, with the paper's weights.</summary>
    public PublishedModel? Of(ReportRun run)
    {
        if (KnownModels.Find(run.Axis("model")) is not { Source: { } source } known)
            return null;
        var model = run.Manifest.Model;
        // Upstream's scripts know one checkpoint for each name. Ours may have been given another one.
        var isTheirs = model.Family.Length == 0 || (known.Repository is { } repository
            ? new[] { model.Path, model.WeightsPath ?? "" }.Any(
                path => path.Split('/', '\\').Contains($"models--{repository.Id.Replace("/", "--", StringComparison.Ordinal)}"))
            : Path.GetFileName(model.WeightsPath) == Path.GetFileName(source));
        return isTheirs ? Models.FirstOrDefault(m => m.Model == known.Name && m.State.SequenceEqual(model.StateShape)) : null;
    }

    static PublishedValues Read()
    {
        using var stream = typeof(PublishedValues).Assembly.GetManifestResourceStream("published.json")!;
        return JsonSerializer.Deserialize<PublishedValues>(stream, s_json)!;
    }
}

/// <summary>The values of a model, by what they are.</summary>
/// <param name="Model">By the name that it has here.</param>
/// <param name="State">C,H,W.</param>
sealed record PublishedModel(string Model, IReadOnlyList<int> State, IReadOnlyDictionary<string, double> Values);
