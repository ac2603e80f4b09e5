namespace Taba.Silo.Clusters;

/// <summary>
/// What a provider needs before the first silo meets there: the tables of a database or of an account. Redis needs nothing. Only commands
/// of an administrator, and silos that were told to, make it; everyone else looks.
/// </summary>
public static class ClusterSchema
{
    /// <summary>Looks, and changes nothing.</summary>
    /// <exception cref="ClusterUnreachableException">The provider does not answer, or refuses.</exception>
    public static async Task<SchemaState> LookAsync(TabaClusterOptions options, CancellationToken cancellationToken)
    {
        switch (options.Provider)
        {
            case TabaClusterOptions.Azure:
                return await AzureTables.LookAsync(options, cancellationToken);
            case TabaClusterOptions.Redis:
                await ClusterWiring.PingAsync(options);
                return new(1, 1);
            default:
                return await PostgresSchema.LookAsync(ClusterWiring.Postgres(options), PostgresSchema.Scripts(), cancellationToken);
        }
    }

    /// <summary>Looks, and refuses what this program cannot work with.</summary>
    /// <exception cref="ClusterUnreachableException">
    /// The provider does not answer, or its schema is missing, too old or too new.
    /// </exception>
    public static async Task RequireAsync(TabaClusterOptions options, CancellationToken cancellationToken)
    {
        var state = await LookAsync(options, cancellationToken);
        if (!state.Fits)
            throw new ClusterUnreachableException(state.Misfit(options.Name));
    }

    /// <summary>Makes the schema where there is none. Several at once are one.</summary>
    /// <returns>What was there before.</returns>
    /// <exception cref="ClusterUnreachableException">The provider does not answer, or refuses.</exception>
    public static Task<SchemaState> InitAsync(TabaClusterOptions options, CancellationToken cancellationToken) =>
        ApplyAsync(options, onlyEmpty: true, cancellationToken);

    /// <summary>Brings the schema to this program's version. A newer one stays as it is. Several at once are one.</summary>
    /// <returns>What was there before.</returns>
    /// <exception cref="ClusterUnreachableException">The provider does not answer, or refuses.</exception>
    public static Task<SchemaState> MigrateAsync(TabaClusterOptions options, CancellationToken cancellationToken) =>
        ApplyAsync(options, onlyEmpty: false, cancellationToken);

    static async Task<SchemaState> ApplyAsync(TabaClusterOptions options, bool onlyEmpty, CancellationToken cancellationToken)
    {
        if (options.Provider == TabaClusterOptions.Postgres)
            return await PostgresSchema.ApplyAsync(
                ClusterWiring.Postgres(options), PostgresSchema.Scripts(), onlyEmpty, cancellationToken);
        var before = await LookAsync(options, cancellationToken);
        if (options.Provider == TabaClusterOptions.Azure)
            await AzureTables.PrepareAsync(options, cancellationToken);
        return before;
    }
}
