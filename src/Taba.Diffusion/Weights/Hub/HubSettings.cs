namespace Taba.Diffusion.Weights.Hub;

/// <summary>
/// The addresses of the hub and its cache, from the variables that the hub's own libraries read: <c>HF_HOME, HF_HUB_CACHE, HF_ENDPOINT,
/// HF_TOKEN, HF_TOKEN_PATH, HF_HUB_OFFLINE</c>; and <c>TABA_CACHE, TABA_CHECKPOINT_MIRROR</c> for files that come from elsewhere.
/// </summary>
public sealed record HubSettings
{
    const string PublicEndpoint = "https://huggingface.co";
    const int MaxTokenBytes = 4096;

    /// <summary>The hub's cache. The default is ~/.cache/huggingface/hub.</summary>
    public required string CacheFolder { get; init; }

    /// <summary>
    /// The folder of plain files: checkpoints below <c>TABA_CACHE</c>, which lies beside the hub's folder (~/.cache/taba).
    /// </summary>
    public required string CheckpointFolder { get; init; }

    /// <summary>The hub. The default is the public one.</summary>
    public required Uri Endpoint { get; init; }

    /// <summary>Holds the plain files under the names they have at their source; null asks the source itself.</summary>
    public Uri? CheckpointMirror { get; init; }

    /// <summary>True when nothing may be downloaded.</summary>
    public bool Offline { get; init; }

    /// <summary>Proves who asks. Not public, so that no message or log prints it by accident.</summary>
    internal string? Token { get; private init; }

    /// <summary>True when a token was found.</summary>
    public bool HasToken => Token is not null;

    /// <summary>The certificates that are trusted.</summary>
    internal HubTrust Trust { get; private init; } = new(Environment.GetEnvironmentVariable);

    /// <summary>Reads the settings.</summary>
    /// <param name="variable">Reads a variable; null reads those of the process.</param>
    /// <exception cref="HubException">A variable's value cannot be used.</exception>
    public static HubSettings FromEnvironment(Func<string, string?>? variable = null)
    {
        string? Read(string name) => (variable ?? Environment.GetEnvironmentVariable)(name) is { Length: > 0 } value ? value : null;

        string? ReadPath(string name) => Read(name) is { } path ? HomePath.Expand(path, Read("HOME")) : null;

        var home = Path.GetFullPath(ReadPath("HF_HOME") ?? Path.Combine(UserCache(ReadPath), "huggingface"));
        return new HubSettings
        {
            CacheFolder = Path.GetFullPath(
                ReadPath("HF_HUB_CACHE") ?? ReadPath("HUGGINGFACE_HUB_CACHE") ?? Path.Combine(home, "hub")),
            CheckpointFolder = Path.Combine(
                Path.GetFullPath(ReadPath("TABA_CACHE") ?? Path.Combine(Path.GetDirectoryName(home) ?? home, "taba")), "checkpoints"),
            Endpoint = Address("HF_ENDPOINT", Read("HF_ENDPOINT") ?? PublicEndpoint),
            CheckpointMirror = Read("TABA_CHECKPOINT_MIRROR") is { } mirror ? Address("TABA_CHECKPOINT_MIRROR", mirror) : null,
            Offline = IsTrue(Read("HF_HUB_OFFLINE") ?? Read("TRANSFORMERS_OFFLINE")),
            Token = Read("HF_TOKEN") is { } token
                ? CheckToken(token, "HF_TOKEN")
                : TokenOf(ReadPath("HF_TOKEN_PATH") ?? Path.Combine(home, "token")),
            Trust = new(Read),
        };
    }

    /// <param name="what">What would be downloaded.</param>
    /// <param name="folder">Where it would go.</param>
    /// <exception cref="HubException">Downloads are switched off.</exception>
    internal void RequireOnline(string what, string folder)
    {
        if (Offline)
        {
            throw new HubException(
                HubFault.Offline,
                $"HF_HUB_OFFLINE is set, so {what} is not downloaded: unset it, or copy what a machine with a network has there "
                + $"into {folder}.");
        }
    }

    static string UserCache(Func<string, string?> read) =>
        read("XDG_CACHE_HOME") ?? Path.Combine(read("HOME") ?? Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache");

    static bool IsTrue(string? value) => value?.ToUpperInvariant() is "1" or "ON" or "YES" or "TRUE";

    static Uri Address(string name, string value) =>
        Uri.TryCreate(value.EndsWith('/') ? value : value + "/", UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https"
        && uri is { UserInfo: "", Query: "" }
            ? uri
            : throw new HubException(HubFault.BadRequest, $"{name} must be an address that begins with https:// or http://.");

    static string? TokenOf(string path)
    {
        try
        {
            using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            var bytes = new byte[MaxTokenBytes];
            var text = System.Text.Encoding.UTF8.GetString(bytes, 0, RandomAccess.Read(file, bytes, 0));
            return text.Trim().Length == 0 ? null : CheckToken(text, path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>A header takes no line breaks; the message must not show what may be a secret.</summary>
    static string CheckToken(string text, string from)
    {
        var token = text.Trim();
        return token.All(c => c is > ' ' and < '\x7f')
            ? token
            : throw new HubException(HubFault.BadRequest, $"{from} holds no token: a token is one word of letters and digits.");
    }
}
