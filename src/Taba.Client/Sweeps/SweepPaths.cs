using Taba.Diffusion;

namespace Taba.Client.Sweeps;

/// <summary>
/// A relative path in a sweep file is meant from the file's folder if there is such a thing there, else from where the command
/// runs. <c>~/</c> is the user's folder.
/// </summary>
sealed class SweepPaths(string folder)
{
    public string? File(string? path)
    {
        if (path is null || Path.IsPathRooted(path = HomePath.Expand(path)))
            return path;
        var beside = Path.Combine(folder, path);
        return Path.Exists(beside) ? beside : path;
    }

    /// <summary>A model's path; a name stays a name.</summary>
    public string Model(string nameOrPath) =>
        nameOrPath.AsSpan().ContainsAny('/', '\\') || nameOrPath.EndsWith(".json", StringComparison.Ordinal) ? File(nameOrPath)!
        : nameOrPath;
}
