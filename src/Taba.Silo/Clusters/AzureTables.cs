using Azure;
using Azure.Core;
using Azure.Data.Tables;
using Azure.Data.Tables.Models;
using Azure.Identity;
using Taba.Storage.Objects;

namespace Taba.Silo.Clusters;

/// <summary>
/// The tables of an account of Azure storage where a cluster's silos meet and its reminders are. Rows of members belong to a cluster's
/// id and reminders to a service's, so several clusters share the tables.
/// </summary>
static class AzureTables
{
    public const string Members = "TabaMembers";
    public const string Reminders = "TabaReminders";

    const string BlobHost = ".blob.";
    const string TableHost = ".table.";

    /// <summary>Orleans asks again for members and reminders by itself.</summary>
    const int Retries = 3;

    /// <summary>Who starts wants to hear soon that nobody answers: two tries end within the 15 s that a client takes.</summary>
    const int RetriesAtStart = 1;

    static readonly TimeSpan s_networkTimeout = TimeSpan.FromSeconds(4);
    static readonly TimeSpan s_firstDelay = TimeSpan.FromMilliseconds(400);

    /// <exception cref="BadInputException">The settings name no tables, or no way to sign in.</exception>
    public static TableServiceClient Open(TabaClusterOptions options) => Open(options, Retries);

    /// <summary>Looks for the table that is made last: where it is, everything is.</summary>
    /// <exception cref="BadInputException">The settings name no tables, or no way to sign in.</exception>
    /// <exception cref="ClusterUnreachableException">The account does not answer, or refuses.</exception>
    public static Task<SchemaState> LookAsync(TabaClusterOptions options, CancellationToken cancellationToken) =>
        OnAccountAsync(options, async tables =>
        {
            try
            {
                // A question for one entity answers alike whether it or its table is missing.
                await tables.GetTableClient(Members)
                    .QueryAsync<TableEntity>("PartitionKey eq ''", 1, ["PartitionKey"], cancellationToken).AnyAsync(cancellationToken);
                return new SchemaState(1, 1);
            }
            catch (RequestFailedException exception) when (exception.ErrorCode == TableErrorCode.TableNotFound)
            {
                return new SchemaState(0, 1);
            }
        }, cancellationToken);

    /// <summary>The account's clock, to the second.</summary>
    /// <exception cref="BadInputException">The settings name no tables, or no way to sign in.</exception>
    /// <exception cref="ClusterUnreachableException">The account does not answer, or refuses.</exception>
    public static Task<DateTimeOffset> NowAsync(TabaClusterOptions options, CancellationToken cancellationToken) =>
        OnAccountAsync(options, async tables =>
        {
            await foreach (var page in tables.GetTableClient(Members)
                .QueryAsync<TableEntity>("PartitionKey eq ''", 1, ["PartitionKey"], cancellationToken).AsPages())
            {
                if (page.GetRawResponse().Headers.Date is { } date)
                    return date;
            }
            throw new ClusterUnreachableException("the tables of the account do not say what time it is");
        }, cancellationToken);

    /// <summary>Makes the tables unless they are there.</summary>
    /// <exception cref="BadInputException">The settings name no tables, or no way to sign in.</exception>
    /// <exception cref="ClusterUnreachableException">The account does not answer, or refuses.</exception>
    public static Task PrepareAsync(TabaClusterOptions options, CancellationToken cancellationToken) =>
        OnAccountAsync(options, async tables =>
        {
            foreach (var name in (string[])[Reminders, Members])
                await tables.CreateTableIfNotExistsAsync(name, cancellationToken);
            return true;
        }, cancellationToken);

    static async Task<T> OnAccountAsync<T>(
        TabaClusterOptions options, Func<TableServiceClient, Task<T>> work, CancellationToken cancellationToken)
    {
        var tables = Open(options, RetriesAtStart);
        try
        {
            return await work(tables);
        }
        catch (Exception exception) when (BlobErrors.IsBlob(exception, cancellationToken))
        {
            throw new ClusterUnreachableException(
                BlobErrors.Wrap(exception, "use the tables of", BlobErrors.Bare(tables.Uri)).Message, exception);
        }
    }

    /// <summary>The address of the tables of an account: as it is set, or that of its blobs with another word in it.</summary>
    /// <returns>Null when it can only be set.</returns>
    public static Uri? Address(TabaClusterOptions options)
    {
        if (options.AzureTableUri is { } set)
            return new(set);
        if (options.AzureAccountUri is not { } blobs)
            return null;
        var account = new UriBuilder(blobs);
        var at = account.Host.IndexOf(BlobHost, StringComparison.OrdinalIgnoreCase);
        if (at <= 0)
            return null;
        account.Host = string.Concat(account.Host.AsSpan(0, at), TableHost, account.Host.AsSpan(at + BlobHost.Length));
        return account.Uri;
    }

    static TableServiceClient Open(TabaClusterOptions options, int retries)
    {
        var client = new TableClientOptions();
        client.Retry.Mode = RetryMode.Exponential;
        client.Retry.MaxRetries = retries;
        client.Retry.Delay = s_firstDelay;
        client.Retry.NetworkTimeout = s_networkTimeout;
        client.Diagnostics.IsLoggingContentEnabled = false;
        if (options.AzureConnectionString is not { } secret)
            return new(Address(options)!, new DefaultAzureCredential(), client);
        try
        {
            return new(secret, client);
        }
        catch (Exception exception) when (exception is FormatException or ArgumentException or InvalidOperationException)
        {
            // Its own message may hold the secret that was given.
            throw new BadInputException(
                $"{TabaClusterOptions.Section}:{options.Name}:AzureConnectionString is not one of an account with tables: "
                + "DefaultEndpointsProtocol=...;AccountName=...;AccountKey=... is what the portal shows.");
        }
    }
}
