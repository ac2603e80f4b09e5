namespace Taba.Grains.Dispatch;

/// <summary>The facts of a stage on which depends who may compute it.</summary>
/// <param name="HasSteps">Whether its rows step through the engine; else they pass through an autoencoder.</param>
[GenerateSerializer, Immutable, Alias("taba.StageWork")]
public readonly record struct StageWork(string Key, bool HasSteps)
{
    /// <summary>The engine that its rows need; null when they need none.</summary>
    [Id(10)] public string? Engine { get; init; }

    /// <summary>The digest of its model.</summary>
    [Id(11)] public string? Model { get; init; }

    /// <summary>Network evaluations of a row; 0 when it has no steps.</summary>
    [Id(12)] public int EvaluationsPerRow { get; init; }

    /// <summary>What it is, in two words; null from one that is too old to say.</summary>
    [Id(13)] public string? Name { get; init; }

    public static StageWork Of(string key, StageSpec spec) => new(key, spec.HasSteps)
    {
        Engine = spec.HasSteps ? StageEngine.Of(spec) : null,
        // What is measured lies in the store: a silo without the model can do it.
        Model = spec.Measure is null ? spec.Model.Digest : null,
        EvaluationsPerRow = spec.EvaluationsPerRow,
        Name = spec.Kind.ToString().ToLowerInvariant() + (spec.HasSteps ? $" T={spec.NumInferenceSteps}" : ""),
    };
}
