namespace Taba.Diffusion.Weights;

/// <summary>The files of one set of weights in a component's folder.</summary>
/// <param name="Folder">The component's folder, absolute.</param>
/// <param name="Variant">"fp16" and the like; null for the files without one.</param>
/// <param name="IsSafetensors">Otherwise files of torch.save.</param>
/// <param name="EntryFile">The name of the weights file, or of the index when the set is cut into shards.</param>
/// <param name="IsSharded">Whether <paramref name="EntryFile"/> is an index.</param>
public sealed record WeightSet(string Folder, string? Variant, bool IsSafetensors, string EntryFile, bool IsSharded)
{
    /// <summary>The path of <see cref="EntryFile"/>.</summary>
    public string EntryPath => Path.Combine(Folder, EntryFile);
}
