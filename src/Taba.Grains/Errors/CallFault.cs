namespace Taba.Grains.Errors;

/// <summary>What a failed call means for whoever made it.</summary>
public enum CallFault
{
    /// <summary>An error of Taba: nobody expected it.</summary>
    Unexpected,

    /// <summary>What was asked for cannot be.</summary>
    BadInput,

    /// <summary>There is no such sweep.</summary>
    Unknown,

    /// <summary>A silo goes, comes or is busy: the same call may succeed soon.</summary>
    Passing,

    /// <summary>A store or a database is away or full: the same call succeeds when it is mended.</summary>
    Store,

    /// <summary>A state is damaged, or another version wrote it.</summary>
    Unreadable,
}
