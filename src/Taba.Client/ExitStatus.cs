namespace Taba.Client;

/// <summary>The exit status of the process. Scripts rely on these numbers.</summary>
static class ExitStatus
{
    public const int Done = 0;

    /// <summary>Finished, but some samples failed; each is named.</summary>
    public const int SamplesFailed = 1;

    /// <summary>Nothing was started and nothing written.</summary>
    public const int BadInput = 2;

    /// <summary>A store or disk failed on the way: the same command continues.</summary>
    public const int Failed = 3;

    /// <summary>Interrupted: the same command continues.</summary>
    public const int Interrupted = 130;
}
