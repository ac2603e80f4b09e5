using System.Diagnostics.CodeAnalysis;
using static TorchSharp.torch;

namespace Taba.Diffusion.Weights;

/// <summary>
/// The weights of one component of a Hugging Face model folder: one file or several shards, safetensors or torch.save, with
/// today's attention names whatever their age. Loading takes the memory of the tensors wanted and little more.
/// </summary>
public sealed class DiffusersWeights : IWeightSource, IDisposable
{
    readonly IWeightSource _names;
    readonly IDisposable _files;

    DiffusersWeights(WeightSet set, IWeightSource source, IDisposable files, IReadOnlyList<string> paths)
    {
        Set = set;
        _files = files;
        _names = Renamed(source);
        Files = paths;
    }

    /// <summary>The set that was chosen.</summary>
    public WeightSet Set { get; }

    /// <summary>The files that hold the tensors, in a fixed order; what <see cref="WeightDigestCache"/> takes.</summary>
    public IReadOnlyList<string> Files { get; }

    /// <inheritdoc/>
    public string Description => _names.Description;

    /// <inheritdoc/>
    public IReadOnlyCollection<string> Names => _names.Names;

    /// <summary>
    /// Chooses the weights of a component's folder. Safetensors come before torch.save's files, whole files before shards. With a
    /// <paramref name="variant"/> it must be that one; without, the files without a variant, else fp16, else bf16, else the only one.
    /// </summary>
    /// <exception cref="InvalidDataException">There is no folder, or no such weights in it; the message says what there is.</exception>
    public static WeightSet Find(string componentFolder, string? variant = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(componentFolder);
        var folder = Path.GetFullPath(componentFolder);
        if (!Directory.Exists(folder))
            throw new InvalidDataException($"There is no folder {folder}, where the weights should be.");
        var names = Directory.EnumerateFiles(folder).Select(path => Path.GetFileName(path));
        return WeightSets.Choose(folder, WeightSets.In(folder, names), variant);
    }

    /// <summary>Opens the weights that <see cref="Find"/> chooses; reads names and shapes only.</summary>
    /// <exception cref="InvalidDataException">There are none, a shard is missing, or index and shards do not agree.</exception>
    /// <exception cref="WeightsFormatException">A file is damaged, hostile or of another kind.</exception>
    public static DiffusersWeights Open(string componentFolder, string? variant = null)
    {
        var set = Find(componentFolder, variant);
        if (set.IsSharded)
        {
            var shards = ShardedWeights.Open(set);
            return Guard(shards, () => new DiffusersWeights(set, shards, shards, shards.Files));
        }

        var file = OpenWhole(set);
        return Guard(file, () => new DiffusersWeights(set, file, file, [set.EntryPath]));
    }

    /// <summary>
    /// A source under today's attention names: <c>query, key, value, proj_attn</c> of blocks older than diffusers 0.17 are
    /// <c>to_q, to_k, to_v, to_out.0</c>, and their weights have two axes. The source itself when it has no such block.
    /// </summary>
    /// <exception cref="InvalidDataException">The source holds a weight under both names.</exception>
    public static IWeightSource Renamed(IWeightSource source)
    {
        ArgumentNullException.ThrowIfNull(source);
        return OldAttentionNames.Over(source);
    }

    /// <inheritdoc/>
    public bool TryGetShape(string name, [NotNullWhen(true)] out long[]? shape) => _names.TryGetShape(name, out shape);

    /// <inheritdoc/>
    public Tensor Load(string name, ScalarType dtype, Device device) => _names.Load(name, dtype, device);

    /// <summary>Closes the files. Loaded tensors are copies and stay.</summary>
    public void Dispose() => _files.Dispose();

    static WeightsFile OpenWhole(WeightSet set)
    {
        try
        {
            return WeightsFile.Open(set.EntryPath);
        }
        catch (FileNotFoundException error)
        {
            // A snapshot of a hub cache is made of links, whose files may have been removed.
            throw new InvalidDataException($"{set.EntryPath} is a link to a file that is gone.", error);
        }
    }

    static DiffusersWeights Guard(IDisposable files, Func<DiffusersWeights> make)
    {
        try
        {
            return make();
        }
        catch
        {
            files.Dispose();
            throw;
        }
    }
}
