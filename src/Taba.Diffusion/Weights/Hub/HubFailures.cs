using System.Security.Authentication;

namespace Taba.Diffusion.Weights.Hub;

/// <summary>Which failures of a connection may pass, and what they say.</summary>
static class HubFailures
{
    /// <summary>A <see cref="TransientException"/>, or a <see cref="HubException"/> when trying again is in vain.</summary>
    public static Exception Of(Exception error, HubSubject subject)
    {
        if (error.InnerException is AuthenticationException refused)
        {
            var reason = Innermost(refused).Message;
            return Unusable(reason.Contains("frame size", StringComparison.Ordinal)
                ? "what answers there does not speak TLS: is its address http:// and not https://?"
                : reason);
        }
        return error is HttpRequestException { HttpRequestError: HttpRequestError.InvalidResponse }
            ? Unusable(
                "what answers there is no web server, or its address is https:// and not http:// "
                + $"({Innermost(error).Message.TrimEnd('.')})")
            : new TransientException(Text(error), null, error);

        HubException Unusable(string why) =>
            new(HubFault.Unusable, $"{subject.Name} could not be had: {why.TrimEnd('.')}{(why.EndsWith('?') ? "" : ".")}", error);
    }

    /// <summary>Only these say more than the one within, such as the address; others say "see inner exception".</summary>
    static string Text(Exception error) => (error is HttpRequestException
    { HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError or HttpRequestError.ProxyTunnelError }
            ? error
            : Innermost(error)).Message.TrimEnd('.');

    static Exception Innermost(Exception error)
    {
        while (error.InnerException is { } inner)
            error = inner;
        return error;
    }
}
