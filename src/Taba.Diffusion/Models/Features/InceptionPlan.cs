namespace Taba.Diffusion.Models.Features;

/// <summary>One convolution of the Inception network: kernel height and width, stride, and whether the map keeps its size.</summary>
readonly record struct InceptionConvolution(string Name, int In, int Out, int Height, int Width, int Stride, bool Padded);

/// <summary>
/// The Inception network of 2015-12-05 (Szegedy et al. 2016, as TensorFlow released it) as a table, by the names of the checkpoint
/// pt_inception-2015-12-05 that torch-fidelity and pytorch-fid use.
/// </summary>
static class InceptionPlan
{
    /// <summary>The first layers, before the mixed ones; a map is halved behind the third and the fifth.</summary>
    internal static readonly IReadOnlyList<InceptionConvolution> Stem =
    [
        new("Conv2d_1a_3x3", 3, 32, 3, 3, 2, Padded: false),
        new("Conv2d_2a_3x3", 32, 32, 3, 3, 1, Padded: false),
        new("Conv2d_2b_3x3", 32, 64, 3, 3, 1, Padded: true),
        new("Conv2d_3b_1x1", 64, 80, 1, 1, 1, Padded: false),
        new("Conv2d_4a_3x3", 80, 192, 3, 3, 1, Padded: false),
    ];

    /// <summary>The mixed layers in their order: which kind, and the channels that its branches end in.</summary>
    internal static readonly IReadOnlyList<InceptionBlock> Blocks =
    [
        InceptionBlock.A("Mixed_5b", 192, 32),
        InceptionBlock.A("Mixed_5c", 256, 64),
        InceptionBlock.A("Mixed_5d", 288, 64),
        InceptionBlock.B("Mixed_6a", 288),
        InceptionBlock.C("Mixed_6b", 128),
        InceptionBlock.C("Mixed_6c", 160),
        InceptionBlock.C("Mixed_6d", 160),
        InceptionBlock.C("Mixed_6e", 192),
        InceptionBlock.D("Mixed_7a", 768),
        InceptionBlock.E("Mixed_7b", 1280, maximum: false),
        InceptionBlock.E("Mixed_7c", 2048, maximum: true),
    ];

    internal static IEnumerable<InceptionConvolution> Convolutions => Stem.Concat(Blocks.SelectMany(block => block.Convolutions));
}

/// <summary>What happens to a map before a branch's convolutions.</summary>
enum InceptionPooling
{
    None,

    /// <summary>Mean of 3x3, of the pixels that there are.</summary>
    Average,

    /// <summary>Maximum of 3x3.</summary>
    Maximum,

    /// <summary>Maximum of 3x3, every second one.</summary>
    Halving,
}

/// <summary>A branch: pooling, then convolutions one after the other, then several side by side whose maps are joined, or none.</summary>
sealed record InceptionBranch(
    InceptionPooling Pooling, IReadOnlyList<InceptionConvolution> Chain, IReadOnlyList<InceptionConvolution> Fork);

/// <summary>A mixed layer: branches of one map, whose maps are joined.</summary>
sealed record InceptionBlock(IReadOnlyList<InceptionBranch> Branches)
{
    internal IEnumerable<InceptionConvolution> Convolutions => Branches.SelectMany(branch => branch.Chain.Concat(branch.Fork));

    internal static InceptionBlock A(string name, int input, int pool) => Of(
        name,
        Chain(input, ("branch1x1", 64, 1, 1, 1)),
        Chain(input, ("branch5x5_1", 48, 1, 1, 1), ("branch5x5_2", 64, 5, 5, 1)),
        Chain(input, ("branch3x3dbl_1", 64, 1, 1, 1), ("branch3x3dbl_2", 96, 3, 3, 1), ("branch3x3dbl_3", 96, 3, 3, 1)),
        Chain(input, ("branch_pool", pool, 1, 1, 1)) with { Pooling = InceptionPooling.Average });

    internal static InceptionBlock B(string name, int input) => Of(
        name,
        Chain(input, ("branch3x3", 384, 3, 3, 2)),
        Chain(input, ("branch3x3dbl_1", 64, 1, 1, 1), ("branch3x3dbl_2", 96, 3, 3, 1), ("branch3x3dbl_3", 96, 3, 3, 2)),
        Chain(input) with { Pooling = InceptionPooling.Halving });

    internal static InceptionBlock C(string name, int narrow) => Of(
        name,
        Chain(768, ("branch1x1", 192, 1, 1, 1)),
        Chain(768, ("branch7x7_1", narrow, 1, 1, 1), ("branch7x7_2", narrow, 1, 7, 1), ("branch7x7_3", 192, 7, 1, 1)),
        Chain(
            768,
            ("branch7x7dbl_1", narrow, 1, 1, 1),
            ("branch7x7dbl_2", narrow, 7, 1, 1),
            ("branch7x7dbl_3", narrow, 1, 7, 1),
            ("branch7x7dbl_4", narrow, 7, 1, 1),
            ("branch7x7dbl_5", 192, 1, 7, 1)),
        Chain(768, ("branch_pool", 192, 1, 1, 1)) with { Pooling = InceptionPooling.Average });

    internal static InceptionBlock D(string name, int input) => Of(
        name,
        Chain(input, ("branch3x3_1", 192, 1, 1, 1), ("branch3x3_2", 320, 3, 3, 2)),
        Chain(
            input,
            ("branch7x7x3_1", 192, 1, 1, 1),
            ("branch7x7x3_2", 192, 1, 7, 1),
            ("branch7x7x3_3", 192, 7, 1, 1),
            ("branch7x7x3_4", 192, 3, 3, 2)),
        Chain(input) with { Pooling = InceptionPooling.Halving });

    internal static InceptionBlock E(string name, int input, bool maximum) => Of(
        name,
        Chain(input, ("branch1x1", 320, 1, 1, 1)),
        Forked(Chain(input, ("branch3x3_1", 384, 1, 1, 1)), "branch3x3"),
        Forked(Chain(input, ("branch3x3dbl_1", 448, 1, 1, 1), ("branch3x3dbl_2", 384, 3, 3, 1)), "branch3x3dbl"),
        Chain(input, ("branch_pool", 192, 1, 1, 1)) with
        {
            Pooling = maximum ? InceptionPooling.Maximum : InceptionPooling.Average,
        });

    static InceptionBlock Of(string block, params InceptionBranch[] branches)
    {
        return new([.. branches.Select(branch => branch with { Chain = Named(branch.Chain), Fork = Named(branch.Fork) })]);

        InceptionConvolution[] Named(IEnumerable<InceptionConvolution> layers) =>
            [.. layers.Select(layer => layer with { Name = $"{block}.{layer.Name}" })];
    }

    static InceptionBranch Chain(int input, params (string Name, int Out, int Height, int Width, int Stride)[] layers)
    {
        var chain = new List<InceptionConvolution>();
        foreach (var (name, output, height, width, stride) in layers)
        {
            chain.Add(new(name, input, output, height, width, stride, Padded: stride == 1));
            input = output;
        }

        return new(InceptionPooling.None, chain, []);
    }

    static InceptionBranch Forked(InceptionBranch branch, string name)
    {
        var (first, second) = name == "branch3x3" ? ("2a", "2b") : ("3a", "3b");
        return branch with
        {
            Fork =
            [
                new($"{name}_{first}", 384, 384, 1, 3, 1, Padded: true),
                new($"{name}_{second}", 384, 384, 3, 1, 1, Padded: true),
            ],
        };
    }
}
