namespace Taba.Diffusion.Weights.Hub;

/// <summary>The subject of a request, and the sentence for its refusal.</summary>
/// <param name="Name">Ready to begin a sentence.</param>
/// <param name="Repository">Null for a file that is not the hub's.</param>
/// <param name="IsList">It is the list of a repository's files.</param>
sealed record HubSubject(string Name, HubRepository? Repository, bool IsList = false)
{
    public HubException NotFound(bool hasToken) => new(
        HubFault.NotFound,
        Repository is null
            ? $"{Name} does not exist there any more."
            : $"{Name} does not exist on the hub"
                + (hasToken
                    ? ", or HF_TOKEN does not open it or is no longer valid."
                    : "; if it is private or gated, set HF_TOKEN to a token that may read it."));

    /// <summary>Someone between here and the hub answers for it, until people sign in or for good.</summary>
    public HubException IsWebPage(Uri from) => new(
        HubFault.Network,
        $"{Name} could not be had: {from.Host} answers with a web page and not "
        + $"{(IsList ? "the hub's list" : "the file")}: a proxy or a captive portal? Open {from.GetLeftPart(UriPartial.Authority)} in a "
        + "browser on this machine.");

    public HubException Refused(bool hasToken) => new(
        HubFault.Gated,
        Repository is null
            ? $"{Name} is not given out: the server refused."
            : $"{Name} is not given out: accept the licence of {Repository} on its page while signed in, "
                + (hasToken
                    ? "with the account that HF_TOKEN belongs to (or HF_TOKEN is no longer valid)."
                    : "then set HF_TOKEN to a token of that account."));
}
