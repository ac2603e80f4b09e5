using Orleans;

namespace Taba;

/// <summary>Rows published with what was kept of them.</summary>
[GenerateSerializer, Immutable, Alias("taba.KeptRows")]
public sealed record KeptRows(CaptureSelection Kept, RowSet Rows);
