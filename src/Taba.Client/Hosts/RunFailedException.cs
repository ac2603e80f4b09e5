namespace Taba.Client.Hosts;

/// <summary>A store or disk failed: one sentence, exit status 3, the same command continues.</summary>
sealed class RunFailedException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>True when work was begun, so that the same command continues it.</summary>
    public bool Begun { get; init; } = true;

    /// <summary>True when another command works in the same store, which ends some time.</summary>
    public bool IsBusy { get; init; }
}
