namespace Taba.Client.Doctor;

enum FindingState
{
    Ok,
    Note,
    Fail,
}

/// <summary>One thing that was looked at.</summary>
/// <param name="Advice">What to do; null when nothing is to be done.</param>
sealed record Finding(FindingState State, string Name, string Found, string? Advice = null);
