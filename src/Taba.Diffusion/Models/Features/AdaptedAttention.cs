using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;
using Taba.Diffusion.Native;
using Taba.Diffusion.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace Taba.Diffusion.Models.Features;

/// <summary>
/// A vision transformer's weights by timm's names with what low-rank adapters add to them (Hu et al. 2021): the joint projection of query,
/// key and value is W + scale·B·A, and is given as three.
/// </summary>
/// <param name="source">Has <c>blocks.I.attn.qkv.weight</c> [3W,W] and <c>.bias</c> [3W].</param>
/// <param name="adapters">Has A [r,W] and B [3W,r] of each block, by the names that peft writes; null for none.</param>
/// <param name="branch">The transformer's number in the adapters' names.</param>
/// <param name="scale">lora_alpha / r.</param>
sealed partial class AdaptedAttention(IWeightSource source, IWeightSource? adapters, int branch, double scale) : IWeightSource
{
    /// <summary>The first third of the joint projection, below a block's prefix.</summary>
    public const string Query = "attn.q";

    /// <summary>The second.</summary>
    public const string Key = "attn.k";

    /// <summary>The third.</summary>
    public const string Value = "attn.v";

    static readonly string[] s_thirds = [Query, Key, Value];

    readonly Dictionary<(string Block, string Matrix), string> _adapters = AdapterNames(adapters, branch);

    public string Description => adapters is null ? source.Description : $"{source.Description} with {adapters.Description}";

    public IReadOnlyCollection<string> Names { get; } =
    [
        .. source.Names.SelectMany(name => Joint().Match(name) is { Success: true } joint
            ? s_thirds.Select(third => $"{joint.Groups[1].Value}.{third}.{joint.Groups[2].Value}")
            : [name]),
    ];

    public bool TryGetShape(string name, [NotNullWhen(true)] out long[]? shape)
    {
        if (Third().Match(name) is not { Success: true } third)
            return source.TryGetShape(name, out shape);
        if (!source.TryGetShape(JointName(third), out shape))
            return false;
        if (shape.Length == 0 || shape[0] % 3 != 0)
            return true;
        shape = [shape[0] / 3, .. shape[1..]];
        return true;
    }

    /// <exception cref="InvalidDataException">The adapters are of another architecture.</exception>
    public Tensor Load(string name, ScalarType dtype, Device device)
    {
        if (Third().Match(name) is not { Success: true } third)
            return source.Load(name, dtype, device);

        using var scope = NewDisposeScope();
        var joint = source.Load(JointName(third), ScalarType.Float32, CPU);
        if (adapters is not null && third.Groups[3].Value == "weight")
            joint = joint.add(Added(adapters, third.Groups[1].Value, joint.shape), Scalars.One);
        var rows = joint.shape[0] / 3;
        var part = joint.narrow(0, Array.IndexOf(s_thirds, third.Groups[2].Value) * rows, rows);
        return part.to(dtype).to(device).clone().MoveToOuterDisposeScope();
    }

    /// <summary>Checks that each block has adapters that fit it; loads none.</summary>
    /// <param name="blocks">How many there are.</param>
    /// <exception cref="InvalidDataException">The adapters are of another architecture.</exception>
    public void CheckAdapters(int blocks)
    {
        for (var i = 0; i < blocks && adapters is not null; i++)
        {
            if (source.TryGetShape($"blocks.{i}.attn.qkv.weight", out var shape))
                MatricesOf(adapters, $"blocks.{i}", shape);
        }
    }

    /// <summary>scale·B·A of a block.</summary>
    Tensor Added(IWeightSource matrices, string block, long[] shape)
    {
        var (a, b) = MatricesOf(matrices, block, shape);
        using var factor = scale.ToScalar();
        return matrices.Load(b, ScalarType.Float32, CPU).matmul(matrices.Load(a, ScalarType.Float32, CPU)).mul(factor);
    }

    /// <summary>Names of A and B.</summary>
    (string A, string B) MatricesOf(IWeightSource matrices, string block, long[] shape)
    {
        var (nameOfA, nameOfB) = (Name("A"), Name("B"));
        return matrices.TryGetShape(nameOfA, out var a) && matrices.TryGetShape(nameOfB, out var b)
            && a.Length == 2 && b.Length == 2 && a[0] == b[1] && b[0] == shape[0] && a[1] == shape[1]
            ? (nameOfA, nameOfB)
            : throw new InvalidDataException(
                $"{matrices.Description}: the matrices of {block}'s attention are [{Shape(nameOfA)}] and [{Shape(nameOfB)}], which do not "
                + $"make [{string.Join(",", shape)}].");

        string Name(string which) => _adapters.TryGetValue((block, which), out var name)
            ? name
            : throw new InvalidDataException(
                $"{matrices.Description} has no matrix {which} for the attention of {block} of transformer {branch}.");

        string Shape(string name) => matrices.TryGetShape(name, out var its) ? string.Join(",", its) : "";
    }

    static string JointName(Match third) => $"{third.Groups[1].Value}.attn.qkv.{third.Groups[3].Value}";

    static Dictionary<(string, string), string> AdapterNames(IWeightSource? adapters, int branch)
    {
        var found = new Dictionary<(string, string), string>();
        foreach (var name in adapters?.Names ?? [])
        {
            if (Adapter().Match(name) is { Success: true } match && int.Parse(match.Groups[1].ValueSpan) == branch)
                found[(match.Groups[2].Value, match.Groups[3].Value)] = name;
        }

        return found;
    }

    [GeneratedRegex(@"^(blocks\.[0-9]+)\.attn\.qkv\.(weight|bias)$", RegexOptions.CultureInvariant)]
    private static partial Regex Joint();

    [GeneratedRegex(@"^(blocks\.[0-9]+)\.(attn\.[qkv])\.(weight|bias)$", RegexOptions.CultureInvariant)]
    private static partial Regex Third();

    /// <summary>What is around the block's name depends on the version of peft that wrote it.</summary>
    [GeneratedRegex(
        @"extractor_list\.([0-9]{1,2})\.(?:.*\.)?(blocks\.[0-9]+)\.attn\.qkv\.lora_([AB])(?:\.[a-z]+)?\.weight$",
        RegexOptions.CultureInvariant)]
    private static partial Regex Adapter();
}
