using System.Diagnostics.CodeAnalysis;
using Taba.Diffusion.Models.Features;
using Taba.Diffusion.Weights;
using Taba.Testing;
using static TorchSharp.torch;

namespace Taba.Diffusion.Tests.Models.Features;

public sealed class DreamSimTests : IDisposable
{
    const double Scale = 0.5 / 4;

    static readonly BranchSizes[] s_small =
    [
        new(new(48, 3, 4, 96, 1e-6, QuickGelu: false), 32, 8, 0),
        new(new(48, 2, 4, 96, 1e-5, QuickGelu: true), 32, 8, 24),
        new(new(48, 2, 4, 96, 1e-5, QuickGelu: false), 32, 8, 24),
    ];

    readonly string _folder = Directory.CreateTempSubdirectory("taba-test-dreamsim-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    [Trait(Needs.Trait, Needs.Process)]
    public void Forward_IsThatOfPlainTorch()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(5);
        var pictures = rand([2, 3, 32, 32], generator: generator);
        var branches = s_small.Select(sizes => new RandomWeights(Joint(sizes))).ToArray();
        var adapters = Adapters();
        var all = new Joined([("0", branches[0]), ("1", branches[1]), ("2", branches[2]), ("lora", adapters)]);
        var expected = TorchReference.Run(
            """
            def branch(n, layers, eps, quick, clip, mean, std):
                w = lambda k: t[f"{n}.{k}"]
                lin = lambda k, x: F.linear(x, w(k + ".weight"), w(k + ".bias"))
                norm = lambda k, x: F.layer_norm(x, (48,), w(k + ".weight"), w(k + ".bias"), eps)
                mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (mean, std))
                x = F.conv2d((t["x"] - mean) / std, w("patch_embed.proj.weight"), w("patch_embed.proj.bias"), 8).flatten(2).transpose(1, 2)
                x = torch.cat([w("cls_token").repeat(2, 1, 1), x], 1) + w("pos_embed")
                if clip: x = norm("pos_drop", x)
                for i in range(layers):
                    b = f"blocks.{i}."
                    h = norm(b + "norm1", x)
                    lora = f"lora.base_model.model.extractor_list.{n}.model.{b}attn.qkv.lora_"
                    qkv = lin(b + "attn.qkv", h) + .125 * F.linear(F.linear(h, t[lora + "A.weight"]), t[lora + "B.weight"])
                    q, k, v = qkv.view(2, 17, 3, 4, 12).permute(2, 0, 3, 1, 4)
                    h = (torch.softmax(q @ k.transpose(2, 3) * 12 ** -.5, -1) @ v).transpose(1, 2).reshape(2, 17, 48)
                    x = x + lin(b + "attn.proj", h)
                    h = lin(b + "mlp.fc1", norm(b + "norm2", x))
                    x = x + lin(b + "mlp.fc2", h * torch.sigmoid(1.702 * h) if quick else F.gelu(h))
                return norm("norm", x)[:, 0] @ w("proj") if clip else x[:, 0]
            imagenet = [.485, .456, .406], [.229, .224, .225]
            openai = [.48145466, .4578275, .40821073], [.26862954, .26130258, .27577711]
            e = torch.cat([branch(0, 3, 1e-6, False, False, *imagenet), branch(1, 2, 1e-5, True, True, *openai),
                branch(2, 2, 1e-5, False, True, *openai)], 1)
            e = e - e.mean(1, keepdim=True)
            out = e / e.norm(dim=1, keepdim=True)
            """,
            all,
            all.Parameters,
            ("x", pictures));

        using var dreamSim = DreamSim.Load(s_small, branches, adapters, Scale, CPU);
        var embeddings = dreamSim.Forward(pictures);

        Assert.Equal([2, 96], embeddings.shape);
        Assert.Equal(96, dreamSim.Width);
        TorchReference.AssertNear(expected, embeddings);
        Assert.Throws<ArgumentException>(() => dreamSim.Forward(zeros(1, 3, 40, 40)));
    }

    [Fact]
    public void Load_WithoutAnAdapter_NamesTheBlock()
    {
        var branches = s_small.Select(sizes => new RandomWeights(Joint(sizes))).ToArray();
        var adapters = Adapters().Without("base_model.model.extractor_list.1.model.blocks.1.attn.qkv.lora_B.weight");

        var error = Assert.Throws<InvalidDataException>(() => DreamSim.Load(s_small, branches, adapters, Scale, CPU));

        Assert.Contains("no matrix B for the attention of blocks.1 of transformer 1", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Check_OfATransformerAndItsAdapters_RefusesWhatLoadWould()
    {
        var branches = s_small.Select(sizes => new RandomWeights(Joint(sizes))).ToArray();
        const string Missing = "base_model.model.extractor_list.1.model.blocks.1.attn.qkv.lora_B.weight";
        DreamSim.Check(1, s_small[1], branches[1], Adapters(), Scale);

        var without = Assert.Throws<InvalidDataException>(
            () => DreamSim.Check(1, s_small[1], branches[1], Adapters().Without(Missing), Scale));
        var other = Assert.Throws<InvalidDataException>(
            () => DreamSim.Check(1, s_small[1], branches[1], Adapters().With(Missing, 144, 5), Scale));

        Assert.Contains("no matrix B for the attention of blocks.1 of transformer 1", without.Message, StringComparison.Ordinal);
        Assert.Contains("[4,48] and [144,5], which do not make [144,48]", other.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_OfACheckpointOfAnotherWidth_NamesTheTensor()
    {
        var branches = s_small.Select(sizes => new RandomWeights(Joint(sizes))).ToArray();
        branches[2] = branches[2].With("proj", 48, 512);

        var error = Assert.Throws<WeightsMismatchException>(() => DreamSim.Load(s_small, branches, Adapters(), Scale, CPU));

        Assert.Contains("proj: expected [48,24], found [48,512]", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, "adapter_config.json")]
    [InlineData("{\"r\": 16}", "plain low-rank adapters")]
    [InlineData("{\"r\": 16, \"lora_alpha\": 0.5, \"use_rslora\": true}", "plain low-rank adapters")]
    [InlineData("{\"r\": 16, \"lora_alpha\": 0.5}", "has no dino_vitbase16_pretrain.pth")]
    public void Load_OfAFolderThatLacksSomething_SaysWhat(string? config, string expected)
    {
        Directory.CreateDirectory(Path.Combine(_folder, DreamSim.AdapterFolder));
        if (config is not null)
            File.WriteAllText(Path.Combine(_folder, DreamSim.AdapterFolder, "adapter_config.json"), config);

        var error = Assert.Throws<InvalidDataException>(() => DreamSim.Load(_folder, CPU));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    /// <summary>Names and shapes as a checkpoint has them: query, key and value in one.</summary>
    static IEnumerable<KeyValuePair<string, long[]>> Joint(BranchSizes sizes)
    {
        foreach (var (name, shape) in DreamSimBranch.Parameters(sizes))
        {
            if (name.Contains(".attn.q.", StringComparison.Ordinal))
                yield return new(name.Replace(".attn.q.", ".attn.qkv.", StringComparison.Ordinal), [shape[0] * 3, .. shape[1..]]);
            else if (!name.Contains(".attn.k.", StringComparison.Ordinal) && !name.Contains(".attn.v.", StringComparison.Ordinal))
                yield return new(name, shape);
        }
    }

    static RandomWeights Adapters() => new(
        from branch in Enumerable.Range(0, 3)
        from block in Enumerable.Range(0, s_small[branch].Sizes.Layers)
        let prefix = $"base_model.model.extractor_list.{branch}.model.blocks.{block}.attn.qkv.lora_"
        from matrix in new (string Name, long[] Shape)[] { ("A", [4, 48]), ("B", [144, 4]) }
        select KeyValuePair.Create($"{prefix}{matrix.Name}.weight", matrix.Shape));

    /// <summary>Several checkpoints as one, each below its prefix.</summary>
    sealed class Joined((string Prefix, RandomWeights Weights)[] all) : IWeightSource
    {
        public string Description => "all";

        public IReadOnlyCollection<string> Names =>
            [.. all.SelectMany(one => one.Weights.Names.Select(name => $"{one.Prefix}.{name}"))];

        public IEnumerable<KeyValuePair<string, long[]>> Parameters =>
            Names.Select(name => KeyValuePair.Create(name, TryGetShape(name, out var shape) ? shape : []));

        public bool TryGetShape(string name, [NotNullWhen(true)] out long[]? shape) => Of(name).TryGetShape(Rest(name), out shape);

        public Tensor Load(string name, ScalarType dtype, Device device) => Of(name).Load(Rest(name), dtype, device);

        RandomWeights Of(string name) => all.First(one => name.StartsWith($"{one.Prefix}.", StringComparison.Ordinal)).Weights;

        static string Rest(string name) => name[(name.IndexOf('.', StringComparison.Ordinal) + 1)..];
    }
}
