using System.Collections.Immutable;

namespace Taba.Grains.Stages;

/// <summary>A question for the parts of a stage, as one sweep sees them.</summary>
/// <param name="SweepId">The sweep.</param>
/// <param name="Bins">Cells of the strip, 1 to <see cref="StageParts.MostBins"/>; there are never more than rows.</param>
/// <param name="From">The number of the first lease, in the order of rows.</param>
/// <param name="Count">At most so many leases, 0 to <see cref="StageParts.MostLeases"/>.</param>
[GenerateSerializer, Immutable, Alias("taba.StagePartsAsk")]
public readonly record struct StagePartsAsk(string SweepId, int Bins, int From, int Count);

/// <summary>Where the rows of a stage are that a sweep wants. Its size follows the question, not the stage.</summary>
/// <param name="Key">The stage.</param>
/// <param name="Rows">From the first row that is wanted to the last; empty when the sweep wants none.</param>
/// <param name="Strip">These rows cut into cells that differ by one row at most.</param>
/// <param name="LeasesTotal">Leases that have rows which the sweep wants.</param>
/// <param name="Leases">Some of them, in the order of rows.</param>
[GenerateSerializer, Immutable, Alias("taba.StageParts")]
public sealed record StageParts(
    string Key, RowRange Rows, ImmutableArray<StripBin> Strip, int LeasesTotal, ImmutableArray<LeaseView> Leases)
{
    /// <summary>The most cells of a strip.</summary>
    public const int MostBins = 256;

    /// <summary>The most leases of one answer.</summary>
    public const int MostLeases = 500;
}

/// <summary>Wanted rows of a cell of the strip; those that are neither done, nor out, nor given up wait.</summary>
/// <param name="Wanted">All of them.</param>
/// <param name="Done">They have all that the sweep wants of them.</param>
/// <param name="Running">They are out with workers.</param>
/// <param name="Failed">They are given up.</param>
[GenerateSerializer, Immutable, Alias("taba.StripBin")]
public readonly record struct StripBin(int Wanted, int Done, int Running, int Failed);

/// <summary>A part that is out.</summary>
/// <param name="Rows">Its rows.</param>
/// <param name="Host">The host of its worker, by the name that it keeps.</param>
/// <param name="Worker">Its worker's address.</param>
/// <param name="Age">
/// How long it has been out. A coordinator that started anew counts from when it took the lease up.
/// </param>
/// <param name="SinceAdvance">How long ago its worker said last that it got on.</param>
/// <param name="Evaluations">Network evaluations that are behind it, as its worker said last.</param>
/// <param name="EvaluationsPlanned">Those that it takes.</param>
/// <param name="Alone">Its rows are suspect: its worker has nothing else in hand.</param>
[GenerateSerializer, Immutable, Alias("taba.LeaseView")]
public sealed record LeaseView(
    RowRange Rows, string Host, string Worker, TimeSpan Age, TimeSpan SinceAdvance, double Evaluations, double EvaluationsPlanned,
    bool Alone);
