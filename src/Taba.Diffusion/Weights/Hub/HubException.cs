namespace Taba.Diffusion.Weights.Hub;

/// <summary>The kinds of faults of a download.</summary>
public enum HubFault
{
    /// <summary>A name, revision or setting that cannot be.</summary>
    BadRequest,

    /// <summary>The repository, revision, file or variant does not exist.</summary>
    NotFound,

    /// <summary>The repository wants its licence accepted, or a token.</summary>
    Gated,

    /// <summary>Downloads are switched off.</summary>
    Offline,

    /// <summary>
    /// What answers cannot be used as it is set up: its certificate is not trusted, it speaks another protocol, it refuses the request.
    /// </summary>
    Unusable,

    /// <summary>The server or the way to it failed, again and again; what has arrived is kept.</summary>
    Network,

    /// <summary>The server sent other bytes than it promised; they were thrown away.</summary>
    Corrupt,
}

/// <summary>A download cannot be had. The message says of what, why, and what would help.</summary>
public sealed class HubException(HubFault fault, string message, Exception? inner = null) : Exception(message, inner)
{
    public HubFault Fault { get; } = fault;

    /// <summary>True when the same request may well succeed later, with what has arrived so far.</summary>
    public bool MayContinue => Fault is HubFault.Network or HubFault.Corrupt;
}
