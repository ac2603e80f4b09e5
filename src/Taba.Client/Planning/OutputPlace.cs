using Taba.Grains;
using Taba.Storage.Objects;
using Taba.Storage.RunFolders;

namespace Taba.Client.Planning;

/// <summary>Refuses a place that results cannot be written to, before anything starts: what the user must change is bad input.</summary>
static class OutputPlace
{
    /// <param name="folder">A folder, or a place for blobs, which has no rights here.</param>
    /// <param name="instead">What to do.</param>
    /// <exception cref="BadInputException">It cannot be written to.</exception>
    public static void Require(string folder, string instead)
    {
        if (!BlobPlace.Is(folder) && WritableFolder.WhyNot(folder) is { } why)
            throw new BadInputException($"{why}: {instead}.");
    }
}
