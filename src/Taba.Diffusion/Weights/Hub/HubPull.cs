namespace Taba.Diffusion.Weights.Hub;

/// <summary>The files that a pull would bring.</summary>
/// <param name="Listing">All files of the repository.</param>
/// <param name="Files">The files wanted.</param>
/// <param name="TotalBytes">Their sizes.</param>
/// <param name="BytesHere">What the cache already holds of them, whole or begun.</param>
public sealed record HubPull(HubListing Listing, IReadOnlyList<HubFile> Files, long TotalBytes, long BytesHere)
{
    /// <summary>Bytes that are still to come.</summary>
    public long BytesMissing => TotalBytes - BytesHere;
}

/// <summary>The progress of a download.</summary>
/// <param name="File">The file that is coming now.</param>
/// <param name="FileDone">Bytes of it.</param>
/// <param name="FileTotal">Its size; null when nobody says.</param>
/// <param name="Done">Bytes of everything.</param>
/// <param name="Total">Size of everything; null when nobody says.</param>
public readonly record struct HubProgress(string File, long FileDone, long? FileTotal, long Done, long? Total);
