namespace Taba.Grains.Sweeps;

/// <summary>
/// Rows of a planned stage whose numbers stand under another key: they gave NaN or Inf and were computed again in a higher precision,
/// or begin with rows that were. Nothing of them is published under the planned key, so no other sweep reuses them by it.
/// </summary>
/// <param name="StageKey">The planned stage.</param>
/// <param name="Rows">Which of its rows.</param>
/// <param name="SubstituteKey">The stage that has them.</param>
/// <param name="Retry">Set when the precision was raised for this stage itself.</param>
[GenerateSerializer, Immutable, Alias("taba.RowSubstitution")]
public sealed record RowSubstitution(string StageKey, RowSet Rows, string SubstituteKey, PrecisionRetry? Retry);

/// <summary>A change of precision.</summary>
/// <param name="FromNetwork">Precision of the network before.</param>
/// <param name="FromState">Precision of the state before.</param>
/// <param name="ToNetwork">Precision of the network of the retry.</param>
/// <param name="ToState">Precision of the state of the retry.</param>
[GenerateSerializer, Immutable, Alias("taba.PrecisionRetry")]
public sealed record PrecisionRetry(Dtype FromNetwork, Dtype FromState, Dtype ToNetwork, Dtype ToState);
