using System.Text.RegularExpressions;
using Azure.Core;
using Azure.Identity;
using Azure.Storage.Blobs;

namespace Taba.Storage.Objects;

/// <summary>Opens containers of Azure Blob storage.</summary>
public static partial class BlobContainers
{
    const int Retries = 7;
    static readonly TimeSpan s_firstDelay = TimeSpan.FromMilliseconds(400);
    static readonly TimeSpan s_longestDelay = TimeSpan.FromSeconds(10);
    static readonly TimeSpan s_networkTimeout = TimeSpan.FromSeconds(100);

    /// <summary>A container by the account's connection string, or by its address and the identity of this machine.</summary>
    /// <param name="container">The container's name.</param>
    /// <param name="connectionString">The account's connection string, a secret; null to sign in with an identity.</param>
    /// <param name="account">The account's address, https://NAME.blob.core.windows.net; only without a connection string.</param>
    /// <exception cref="BadInputException">
    /// A name or string that Azure does not accept, or neither or both of string and address.
    /// </exception>
    public static BlobContainerClient Open(string container, string? connectionString, Uri? account)
    {
        if (!ContainerName().IsMatch(container))
            throw new BadInputException(
                $"'{container}' cannot name a container of Azure: 3 to 63 small letters, digits and single dashes between them can.");
        return (connectionString, account) switch
        {
            ({ Length: > 0 } secret, null) => WithSecret(container, secret),
            (null or "", { } address) => Open(container, address, new DefaultAzureCredential()),
            (null or "", null) => throw new BadInputException(
                $"The container '{container}' needs its account: give a connection string (or a file that holds it), or the account's "
                + "address to sign in with an identity."),
            _ => throw new BadInputException(
                $"The container '{container}' has both a connection string and an account's address: give the one that counts."),
        };
    }

    /// <summary>A container by its account's address, signed in with a given credential.</summary>
    /// <exception cref="BadInputException">The name or address cannot be one.</exception>
    public static BlobContainerClient Open(string container, Uri account, TokenCredential credential)
    {
        if (!account.IsAbsoluteUri || account.Scheme != Uri.UriSchemeHttps || account.Query.Length > 0 || account.UserInfo.Length > 0)
            throw new BadInputException(
                $"'{BlobErrors.Bare(account)}' is not the address of an account to sign in to: https://NAME.blob.core.windows.net is, "
                + "without a query.");
        return new BlobServiceClient(account, credential, Options()).GetBlobContainerClient(container);
    }

    /// <summary>Creates the container unless it is there.</summary>
    /// <exception cref="StoreException">The account does not answer, or refuses.</exception>
    public static Task CreateIfMissingAsync(this BlobContainerClient container, CancellationToken cancellationToken) =>
        BlobErrors.GuardAsync("open", BlobErrors.Where(container), () => container.CreateIfNotExistsAsync(
            cancellationToken: cancellationToken), cancellationToken);

    static BlobContainerClient WithSecret(string container, string connectionString)
    {
        try
        {
            return new(connectionString, container, Options());
        }
        catch (Exception exception) when (exception is FormatException or ArgumentException or InvalidOperationException)
        {
            // Its own message may hold the secret that was given.
            throw new BadInputException(
                $"The connection string for the container '{container}' is not one of Azure storage: "
                + "DefaultEndpointsProtocol=...;AccountName=...;AccountKey=... is what the portal shows.");
        }
    }

    /// <summary>A server that restarts is waited for, about forty seconds; what lasts longer is the caller's to try again.</summary>
    static BlobClientOptions Options()
    {
        var options = new BlobClientOptions();
        options.Retry.Mode = RetryMode.Exponential;
        options.Retry.MaxRetries = Retries;
        options.Retry.Delay = s_firstDelay;
        options.Retry.MaxDelay = s_longestDelay;
        options.Retry.NetworkTimeout = s_networkTimeout;
        options.Diagnostics.IsLoggingContentEnabled = false;
        return options;
    }

    [GeneratedRegex(@"\A(?=.{3,63}\z)[a-z0-9]+(-[a-z0-9]+)*\z")]
    private static partial Regex ContainerName();
}
