using System.Text.RegularExpressions;

namespace Taba.Diffusion.Weights.Hub;

/// <summary>
/// Which files of a model repository are needed: the index, and of each component its configs and one set of weights, never two
/// formats or precisions of the same.
/// </summary>
public static partial class HubSelection
{
    /// <summary>Parts of pipelines that no sampling needs.</summary>
    static readonly string[] s_dropped = ["safety_checker", "feature_extractor", "watermarker", "image_encoder"];

    static readonly string[] s_textEndings = [".json", ".txt", ".model"];

    /// <summary>More than any tokenizer has.</summary>
    const long MaxTextBytes = 64 << 20;

    /// <summary>Chooses the files of a model.</summary>
    /// <param name="listing">What there is.</param>
    /// <param name="components">The components wanted; null: all but checkers and watermarkers.</param>
    /// <param name="variant">The variant wanted where a component has it; components without it give their plain weights.</param>
    /// <param name="requireVariant">Whether some component must have the variant.</param>
    /// <exception cref="HubException">A component or the variant does not exist.</exception>
    public static IReadOnlyList<HubFile> ForModel(
        HubListing listing, IReadOnlyList<string>? components = null, string? variant = null, bool requireVariant = false)
    {
        ArgumentNullException.ThrowIfNull(listing);
        var byFolder = listing.Files.Where(file => file.Path.Count(c => c == '/') == 1).ToLookup(
            file => file.Path[..file.Path.IndexOf('/', StringComparison.Ordinal)]);
        var wanted = components
            ?? [.. byFolder.Where(IsComponent).Select(folder => folder.Key).Except(s_dropped).Order(StringComparer.Ordinal)];
        var chosen = listing.Files.Where(file => file.Path == ModelFolder.IndexFile).ToList();
        if (chosen.Count == 0 || wanted.Count == 0)
            throw new HubException(
                HubFault.NotFound,
                $"The repository {listing.Repository} is no model folder: it has no {ModelFolder.IndexFile} with components beside it.");

        var variants = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var component in wanted)
        {
            var files = byFolder[component].ToList();
            if (files.Count == 0)
                throw new HubException(
                    HubFault.NotFound,
                    $"The repository {listing.Repository} has no component '{component}': it has "
                    + $"{string.Join(", ", byFolder.Select(folder => folder.Key))}.");
            var sets = WeightSets.In(component, files.Select(Name));
            variants.UnionWith(sets.Select(set => set.Variant).OfType<string>());
            chosen.AddRange(Choose(files, sets, variant));
        }

        return requireVariant && variant is not null && !variants.Contains(variant)
            ? throw new HubException(
                HubFault.NotFound,
                $"The repository {listing.Repository} has no weights of variant '{variant}': "
                + $"{(variants.Count == 0 ? "it has none but the plain ones" : $"it has {string.Join(", ", variants)}")}.")
            : chosen;
    }

    /// <summary>The parquet files of a dataset's train split.</summary>
    /// <exception cref="HubException">There are none.</exception>
    public static IReadOnlyList<HubFile> ForDataset(HubListing listing)
    {
        ArgumentNullException.ThrowIfNull(listing);
        List<HubFile> files = [.. listing.Files.Where(
            file => Name(file).StartsWith("train-", StringComparison.Ordinal) && file.Path.EndsWith(".parquet", StringComparison.Ordinal))];
        return files.Count > 0
            ? files
            : throw new HubException(HubFault.NotFound, $"The repository {listing.Repository} has no parquet files of a train split.");
    }

    static IEnumerable<HubFile> Choose(List<HubFile> files, IReadOnlyList<WeightSet> sets, string? variant)
    {
        var set = sets.Count == 0 ? null : sets.FirstOrDefault(s => s.Variant == variant) ?? Default(sets);
        return files.Where(file => IsText(file) || (set is not null && BelongsTo(Name(file), set)));
    }

    static WeightSet Default(IReadOnlyList<WeightSet> sets)
    {
        try
        {
            return WeightSets.Choose(sets[0].Folder, sets, null);
        }
        catch (InvalidDataException error)
        {
            throw new HubException(HubFault.NotFound, error.Message, error);
        }
    }

    static bool BelongsTo(string name, WeightSet set)
    {
        if (name == set.EntryFile)
            return true;
        var shard = Shard().Match(name);
        return set.IsSharded && shard.Success
            && set.EntryFile.StartsWith(shard.Groups["stem"].Value + ".", StringComparison.Ordinal)
            && shard.Groups["ending"].Value == (set.IsSafetensors ? "safetensors" : "bin")
            && (shard.Groups["variant"].Success ? shard.Groups["variant"].Value : null) == set.Variant;
    }

    static bool IsComponent(IEnumerable<HubFile> folder) =>
        folder.Any(file => Name(file).EndsWith("config.json", StringComparison.Ordinal));

    static bool IsText(HubFile file) =>
        file.Size <= MaxTextBytes && s_textEndings.Any(ending => file.Path.EndsWith(ending, StringComparison.Ordinal))
        && !file.Path.Contains(".index.", StringComparison.Ordinal);

    static string Name(HubFile file) => file.Path[(file.Path.LastIndexOf('/') + 1)..];

    [GeneratedRegex(
        @"\A(?<stem>diffusion_pytorch_model|model|pytorch_model)(\.(?<variant>[A-Za-z0-9_]+))?-\d+-of-\d+"
        + @"(\.(?<variant>[A-Za-z0-9_-]+))?\.(?<ending>safetensors|bin)\z",
        RegexOptions.CultureInvariant)]
    private static partial Regex Shard();
}
