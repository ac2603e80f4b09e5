namespace Taba.Diffusion;

/// <summary>
/// Paths that begin with <c>~/</c>, as people write them: a shell replaces it, but not within quotes, in files of settings or of variables.
/// </summary>
public static class HomePath
{
    /// <summary>
    /// The path with a leading <c>~</c> or <c>~/</c> replaced by the user's folder. Everything else stays, <c>~name</c> too: that
    /// is a file or folder of this name, as it is to a shell that knows no such user.
    /// </summary>
    /// <param name="path">Any path, or what may be one.</param>
    /// <param name="home">The user's folder; null is that of the process.</param>
    public static string Expand(string path, string? home = null)
    {
        ArgumentNullException.ThrowIfNull(path);
        return path == "~" || path.StartsWith("~/", StringComparison.Ordinal)
            ? (home ?? Environment.GetFolderPath(Environment.SpecialFolder.UserProfile)) + path[1..]
            : path;
    }
}
