using Azure;
using Azure.Identity;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;

namespace Taba.Storage.Objects;

/// <summary>Turns what Azure reports into what the user can do. No query of an address is shown: it may hold a signature.</summary>
public static class BlobErrors
{
    /// <summary>The status of a name that is taken, or of a version that is not the current one.</summary>
    public static bool IsLost(RequestFailedException exception) => exception.Status is 409 or 412;

    /// <summary>True when a blob is not there, though its container is.</summary>
    public static bool IsGone(RequestFailedException exception) =>
        exception.Status == 404 && exception.ErrorCode != BlobErrorCode.ContainerNotFound;

    /// <summary>A container or blob, for messages.</summary>
    public static string Where(BlobContainerClient container, string? name = null) =>
        name is null ? Bare(container.Uri) : $"{Bare(container.Uri)}/{name}";

    public static string Bare(Uri uri) =>
        uri.IsAbsoluteUri ? uri.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.SafeUnescaped) : "";

    public static async Task<T> GuardAsync<T>(string what, string where, Func<Task<T>> work, CancellationToken cancellationToken)
    {
        try
        {
            return await work();
        }
        catch (Exception exception) when (IsBlob(exception, cancellationToken))
        {
            throw Wrap(exception, what, where);
        }
    }

    public static T Guard<T>(string what, string where, Func<T> work)
    {
        try
        {
            return work();
        }
        catch (Exception exception) when (IsBlob(exception, CancellationToken.None))
        {
            throw Wrap(exception, what, where);
        }
    }

    /// <summary>True when an exception comes from the account or the way to it.</summary>
    public static bool IsBlob(Exception exception, CancellationToken cancellationToken) => exception switch
    {
        RequestFailedException or AuthenticationFailedException or IOException or HttpRequestException => true,
        // A request that took too long, unless the caller gave it up.
        OperationCanceledException => !cancellationToken.IsCancellationRequested,
        AggregateException several => several.InnerExceptions.All(inner => IsBlob(inner, cancellationToken)),
        _ => false,
    };

    /// <summary>Wraps a failure of the account at a place.</summary>
    public static StoreException Wrap(Exception exception, string what, string where) => Cause(exception) switch
    {
        RequestFailedException failed when failed.ErrorCode == BlobErrorCode.ContainerNotFound => new(
            $"cannot {what} {where}: the container is not there; create it, or name another store", exception),
        RequestFailedException { Status: 401 or 403 } failed => new(
            $"cannot {what} {where}: the account refuses it ({failed.ErrorCode ?? failed.Status.ToString()}); check the connection "
            + "string, or give the identity the role Storage Blob Data Contributor, and for tables Storage Table Data Contributor",
            exception),
        AuthenticationFailedException => new(
            $"cannot {what} {where}: this machine has no identity that may sign in; give a connection string, or assign a managed "
            + "identity", exception),
        RequestFailedException { Status: > 0 } failed => new(
            $"cannot {what} {where}: the account answered {failed.Status} {failed.ErrorCode}; when it is well again the work goes on",
            exception),
        var cause => new($"cannot {what} {where}: {FirstLine(cause.Message)}; when the account answers again the work goes on", exception),
    };

    /// <summary>After its last try the SDK gathers what every try met.</summary>
    static Exception Cause(Exception exception) =>
        exception is AggregateException { InnerExceptions: [.., var last] } ? Cause(last) : exception;

    static string FirstLine(string message) => message.Split('\n', 2)[0].TrimEnd('\r', '.', ' ');
}
