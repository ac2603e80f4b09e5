namespace Taba.Diffusion.Weights.Hub;

/// <summary>The subject of a request, and the sentence for its refusal.</summary>
/// <param name="Name">Ready to begin a sentence.</param>
/// <param name="Repository">Null for a file that is not the hub's.</param>
sealed record HubSubject(string Name, HubRepository? Repository)
{
    public HubException NotFound(bool hasToken) => new(
        HubFault.NotFound,
        Repository is null
            ? $"{Name} does not exist there any more."
            : $"{Name} does not exist on the hub"
                + (hasToken ? ", or HF_TOKEN does not open it." : "; if it is private, set HF_TOKEN to a token that may read it."));

    public HubException Refused(bool hasToken) => new(
        HubFault.Gated,
        Repository is null
            ? $"{Name} is not given out: the server refused."
            : $"{Name} is not given out: accept the licence of {Repository} on its page while signed in, "
                + (hasToken
                    ? "with the account that HF_TOKEN belongs to (or HF_TOKEN is no longer valid)."
                    : "then set HF_TOKEN to a token of that account."));
}
