namespace Taba.Grains.Faults;

/// <summary>An attempt that ended without publishing its rows, as evidence: docs/design/blame.md says for what.</summary>
/// <param name="Worker">The silo that had it.</param>
/// <param name="Strike">Its host died or its engine failed, and no row of it got on: perhaps one of them did that.</param>
/// <param name="Reached">The step, on average, with which its rows go on.</param>
[GenerateSerializer, Immutable, Alias("taba.LostAttempt")]
public sealed record LostAttempt(RowRange Rows, string Worker, bool Strike, double Reached)
{
    /// <summary>Names its checkpoint.</summary>
    [Id(10)] public PartAttempt Attempt { get; init; }

    /// <summary>Its host had nothing else in hand: if it died of a row, then of one of these.</summary>
    [Id(20)] public bool Alone { get; init; }

    /// <summary>Its host, by the name that it keeps when it starts anew.</summary>
    [Id(21)] public string Host { get => field ?? HostName.Of(Worker); init; }

    /// <summary>The device whose engine failed; null when the host died.</summary>
    [Id(22)] public string? Device { get; init; }

    /// <summary>The stage's epoch when this was noted: attempts of a later one began afterwards.</summary>
    [Id(23)] public int At { get; init; }

    /// <summary>The epoch of the last attempt that this host had published by then; 0 for none.</summary>
    [Id(24)] public int HostWorked { get; init; }

    /// <summary>Nobody has looked yet how far its checkpoint is. Until then its rows stay where they are.</summary>
    [Id(25)] public bool Unjudged { get; init; }
}

/// <summary>A host that published rows of a stage.</summary>
/// <param name="Epoch">That of the last such attempt.</param>
[GenerateSerializer, Immutable, Alias("taba.HostAtWork")]
public sealed record HostAtWork(string Host, int Epoch);
