namespace Taba.Grains.Stages;

/// <summary>How a stage stands for one sweep, as the stage tells it when it changes.</summary>
/// <param name="Version">Tells which of two reports is newer.</param>
[GenerateSerializer, Immutable, Alias("taba.StageReport")]
public sealed record StageReport(NewsVersion Version, StageStatus Status);

/// <summary>The rows of a stage that another one may read.</summary>
/// <param name="StageKey">The stage that is read.</param>
/// <param name="Need">What must be kept with the rows.</param>
/// <param name="Version">Tells which of two reports is newer.</param>
/// <param name="Rows">They.</param>
[GenerateSerializer, Immutable, Alias("taba.InputReport")]
public sealed record InputReport(string StageKey, CaptureSelection Need, NewsVersion Version, RowSet Rows);
