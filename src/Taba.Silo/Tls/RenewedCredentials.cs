using System.Security.Cryptography;
using Microsoft.Extensions.Logging;

namespace Taba.Silo.Tls;

/// <summary>
/// The credentials of now: the files are looked at for every connection, by their content, because a mounted secret changes behind links.
/// While the files do not fit, such as in the middle of a change, what was before stays. Safe for several threads.
/// </summary>
/// <param name="settings">The files.</param>
/// <param name="section">The key of the settings in messages.</param>
/// <param name="first">What the files held when the settings were checked.</param>
sealed partial class RenewedCredentials(TlsSettings settings, string section, Credentials first, TimeProvider time, ILogger logger)
{
    readonly Lock _lock = new();
    byte[] _seen = [];
    Credentials _current = first;

    public Credentials Now
    {
        get
        {
            lock (_lock)
            {
                var there = Digest(settings);
                if (there is null || there.AsSpan().SequenceEqual(_seen))
                    return _current;
                _seen = there;
                try
                {
                    _current = Credentials.Read(settings, section, time);
                    LogRenewed(logger, _current.Text);
                }
                catch (BadInputException exception)
                {
                    LogUnfit(logger, exception.Message);
                }
                return _current;
            }
        }
    }

    /// <summary>Null while a file cannot be read.</summary>
    static byte[]? Digest(TlsSettings settings)
    {
        try
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            foreach (var file in new[] { settings.CertificateFile!, settings.KeyFile!, settings.AuthorityFile! })
                hash.AppendData(SHA256.HashData(File.ReadAllBytes(file)));
            return hash.GetHashAndReset();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    [LoggerMessage(5101, LogLevel.Information, "TLS: new connections show the {Certificate}")]
    static partial void LogRenewed(ILogger logger, string certificate);

    [LoggerMessage(5102, LogLevel.Warning, "TLS: the new files cannot be used, and the certificate before stays: {Reason}")]
    static partial void LogUnfit(ILogger logger, string reason);
}
