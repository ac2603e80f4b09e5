namespace Taba.Silo.Clusters;

/// <summary>
/// How far this machine's clock is from that of the server where the silos meet. Each silo writes by its own clock when it was alive last,
/// and judges what others wrote by its own. One that is far ahead has silos declared dead that are just joining, believes that nobody else
/// lives, and leaves a row on which all that start wait until its time has come.
/// </summary>
static class ClusterClock
{
    /// <summary>
    /// What is borne: it costs those that start after a crash of all silos at most so long. Less would refuse silos that agree among each
    /// other because of a server that is a little wrong.
    /// </summary>
    public static readonly TimeSpan MostApart = TimeSpan.FromMinutes(1);

    /// <exception cref="ClusterUnreachableException">
    /// The clocks are too far apart, or the server does not answer, or refuses.
    /// </exception>
    public static async Task RequireAsync(TabaClusterOptions options, TimeProvider time, CancellationToken cancellationToken)
    {
        if (await MisfitAsync(options, time, cancellationToken) is { } misfit)
            throw new ClusterUnreachableException(misfit);
    }

    /// <returns>What is wrong, as a sentence; null when the clocks agree.</returns>
    /// <exception cref="ClusterUnreachableException">The server does not answer, or refuses.</exception>
    public static async Task<string?> MisfitAsync(TabaClusterOptions options, TimeProvider time, CancellationToken cancellationToken)
    {
        var asked = time.GetUtcNow();
        var there = options.Provider switch
        {
            TabaClusterOptions.Azure => await AzureTables.NowAsync(options, cancellationToken),
            TabaClusterOptions.Redis => await ClusterWiring.NowAsync(options),
            _ => await PostgresSchema.NowAsync(ClusterWiring.Postgres(options), cancellationToken),
        };
        return Misfit(asked, there, time.GetUtcNow());
    }

    /// <summary>An answer that took long says little: the server's clock was read at any moment meanwhile.</summary>
    internal static string? Misfit(DateTimeOffset asked, DateTimeOffset there, DateTimeOffset answered)
    {
        var (apart, word) = there < asked ? (asked - there, "ahead of") : (there - answered, "behind");
        return apart <= MostApart ? null : FormattableString.Invariant(
            $"the clock of this machine is {apart.TotalSeconds:F0} s {word} that of the server where the silos meet: set the one that ")
            + "is wrong (they are to agree within a minute), and start the silo again";
    }
}
