using System.Collections.Immutable;

namespace Taba.Grains.Dispatch;

/// <summary>A worker's question for parts, with all that the choice depends on.</summary>
/// <param name="Worker">Its silo's address.</param>
/// <param name="Number">Rises with each question of this worker; a newer question ends the waiting of an older one.</param>
/// <param name="Rows">Rows with steps that it has room for; none when not positive.</param>
/// <param name="AutoencoderParts">Parts without steps that it has room for.</param>
[GenerateSerializer, Immutable, Alias("taba.WorkAsk")]
public sealed record WorkAsk(string Worker, long Number, int Rows, int AutoencoderParts)
{
    /// <summary>The part that it finished last: it has first claim on the same rows of the stages that read them.</summary>
    [Id(10)] public FreshRows? Fresh { get; init; }

    /// <summary>Engines that it has loaded, or is about to.</summary>
    [Id(11)] public ImmutableArray<ResidentEngine> Loaded { get => field.IsDefault ? [] : field; init; } = [];

    /// <summary>Models that it cannot serve now, by digest, and why.</summary>
    [Id(12)] public ImmutableArray<RefusedModel> Refused { get => field.IsDefault ? [] : field; init; } = [];

    /// <summary>How long it waits for parts when there are none.</summary>
    [Id(13)] public TimeSpan Patience { get; init; }

    /// <summary>
    /// Work for an engine that it has not loaded waits so long while there is work of equal priority for those that it has.
    /// </summary>
    [Id(14)] public TimeSpan SwitchAfter { get; init; }

    /// <summary>Rows that it holds already, of parts with or without steps.</summary>
    [Id(15)] public int Held { get; init; }

    /// <summary>The name of its host, which it keeps when it starts anew.</summary>
    [Id(16)] public string? Host { get; init; }
}

/// <summary>Rows whose results a worker has at hand.</summary>
/// <param name="StageKey">Their stage.</param>
/// <param name="Row">The first of them.</param>
[GenerateSerializer, Immutable, Alias("taba.FreshRows")]
public readonly record struct FreshRows(string StageKey, int Row);

/// <summary>An engine that a worker has loaded.</summary>
/// <param name="SecondsPerEvaluation">
/// The device's time for one evaluation of one row, as measured; 0 when nothing was measured yet.
/// </param>
[GenerateSerializer, Immutable, Alias("taba.ResidentEngine")]
public readonly record struct ResidentEngine(string Engine, double SecondsPerEvaluation);

/// <summary>What a worker cannot serve now.</summary>
/// <param name="Model">The digest of a model, or the key of one stage.</param>
[GenerateSerializer, Immutable, Alias("taba.RefusedModel")]
public readonly record struct RefusedModel(string Model, string Reason)
{
    /// <summary>True when it is this work.</summary>
    public bool Means(StageWork work) => Model == work.Model || Model == work.Key;
}
