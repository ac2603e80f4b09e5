namespace Taba.Diffusion.Weights;

/// <summary>
/// Names of tensors as a wrapper around the network has them: DataParallel calls the network <c>module</c>, torch.compile
/// <c>_orig_mod</c>, latent diffusion's trainer <c>model.diffusion_model</c>. The network is the same without.
/// </summary>
static class WrapperNames
{
    static readonly string[] s_prefixes = ["module.", "_orig_mod.", "model.diffusion_model."];

    /// <summary>The tensors without the prefixes that all of them have.</summary>
    public static IReadOnlyList<StoredTensor> LeaveOut(IReadOnlyList<StoredTensor> tensors)
    {
        while (tensors.Count > 0 && s_prefixes.FirstOrDefault(p => tensors.All(t => HasMoreThan(t.Name, p))) is { } prefix)
            tensors = [.. tensors.Select(t => t with { Name = t.Name[prefix.Length..] })];
        return tensors;
    }

    static bool HasMoreThan(string name, string prefix) => name.Length > prefix.Length && name.StartsWith(prefix, StringComparison.Ordinal);
}
