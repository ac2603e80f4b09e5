namespace Taba.Diffusion.Weights;

/// <summary>A checkpoint's tensors are not those that the model's architecture asks for. The message names all of them.</summary>
public sealed class WeightsMismatchException : Exception
{
    const int Listed = 20;

    public WeightsMismatchException(
        string source, IReadOnlyList<string> missing, IReadOnlyList<string> unexpected, IReadOnlyList<string> misshaped)
        : base(Describe(source, missing, unexpected, misshaped))
    {
        Missing = missing;
        Unexpected = unexpected;
        Misshaped = misshaped;
    }

    /// <summary>Names that the model wants and the checkpoint lacks.</summary>
    public IReadOnlyList<string> Missing { get; }

    /// <summary>Names that the checkpoint holds and the model does not know.</summary>
    public IReadOnlyList<string> Unexpected { get; }

    /// <summary>Tensors of another shape, as "name: expected [..], found [..]".</summary>
    public IReadOnlyList<string> Misshaped { get; }

    /// <summary>Compares a checkpoint with the parameters that a model expects, strictly.</summary>
    /// <exception cref="WeightsMismatchException">They differ in any name or shape.</exception>
    public static void ThrowIfDifferent(IWeightSource source, IEnumerable<KeyValuePair<string, long[]>> expected)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(expected);
        var missing = new List<string>();
        var misshaped = new List<string>();
        var unexpected = new HashSet<string>(source.Names, StringComparer.Ordinal);
        foreach (var (name, shape) in expected)
        {
            unexpected.Remove(name);
            if (!source.TryGetShape(name, out var found))
                missing.Add(name);
            else if (!found.AsSpan().SequenceEqual(shape))
                misshaped.Add($"{name}: expected [{string.Join(",", shape)}], found [{string.Join(",", found)}]");
        }

        if (missing.Count + misshaped.Count + unexpected.Count > 0)
            throw new WeightsMismatchException(source.Description, missing, [.. unexpected.Order(StringComparer.Ordinal)], misshaped);
    }

    static string Describe(
        string source, IReadOnlyList<string> missing, IReadOnlyList<string> unexpected, IReadOnlyList<string> misshaped)
    {
        var parts = new List<string>();
        Add("missing", missing);
        Add("unexpected", unexpected);
        Add("of another shape", misshaped);
        return $"The weights {source} do not fit the model's architecture: {string.Join("; ", parts)}. "
            + "Check the architecture fields of the model against the flags the checkpoint was trained with.";

        void Add(string what, IReadOnlyList<string> names)
        {
            if (names.Count == 0)
                return;
            var more = names.Count > Listed ? $" and {names.Count - Listed} more" : "";
            parts.Add($"{names.Count} {what} ({string.Join(", ", names.Take(Listed))}{more})");
        }
    }
}
