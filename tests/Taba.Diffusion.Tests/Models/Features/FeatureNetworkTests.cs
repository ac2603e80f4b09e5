using System.Diagnostics.CodeAnalysis;
using Taba.Diffusion.Models.Features;
using Taba.Diffusion.Native;
using Taba.Diffusion.Weights;
using Taba.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace Taba.Diffusion.Tests.Models.Features;

public sealed class FeatureNetworkTests
{
    static readonly TransformerSizes s_small = new(48, 3, 4, 96, 1e-6, QuickGelu: false);

    static readonly Scalar s_largest = 255.ToScalar();

    [Fact]
    [Trait(Needs.Trait, Needs.Process)]
    public void Vit_IsThatOfPlainTorch()
    {
        using var scope = NewDisposeScope();
        var names = VitFeatures.Parameters(s_small, 32, 8);
        var weights = new RandomWeights(names.Append(new("pooler.dense.weight", [48, 48])));
        var pictures = Pictures(2, 32).sub(s_largest).div(s_largest);
        var expected = TorchReference.Run(
            """
            x = F.conv2d(t["x"], t["embeddings.patch_embeddings.projection.weight"], t["embeddings.patch_embeddings.projection.bias"], 8)
            x = x.flatten(2).transpose(1, 2)
            x = torch.cat([t["embeddings.cls_token"].repeat(2, 1, 1), x], 1) + t["embeddings.position_embeddings"]
            lin = lambda n, x: F.linear(x, t[n + ".weight"], t[n + ".bias"])
            norm = lambda n, x: F.layer_norm(x, (48,), t[n + ".weight"], t[n + ".bias"], 1e-6)
            heads = lambda x: x.view(2, 17, 4, 12).transpose(1, 2)
            for i in range(3):
                p = f"encoder.layer.{i}."
                h = norm(p + "layernorm_before", x)
                q, k, v = (heads(lin(p + "attention.attention." + n, h)) for n in ("query", "key", "value"))
                h = (torch.softmax(q @ k.transpose(2, 3) / 12 ** .5, -1) @ v).transpose(1, 2).reshape(2, 17, 48)
                x = x + lin(p + "attention.output.dense", h)
                h = F.gelu(lin(p + "intermediate.dense", norm(p + "layernorm_after", x)))
                x = x + lin(p + "output.dense", h)
            out = norm("layernorm", x)[:, 0]
            """,
            weights,
            names,
            ("x", pictures));
        using var vit = VitFeatures.Load(s_small, weights, CPU, 32, 8);
        TorchReference.AssertNear(expected, vit.Forward(pictures));
        Assert.Throws<ArgumentException>(() => vit.Forward(zeros(1, 3, 40, 40)));
    }

    [Fact]
    public void Vit_OfDinoSmall_HasItsSize() => Assert.Equal(
        21_665_664, VitFeatures.Parameters(VitFeatures.DinoSmall).Sum(parameter => parameter.Value.Aggregate(1L, (a, b) => a * b)));

    [Fact]
    [Trait(Needs.Trait, Needs.Process)]
    public void Vgg16_IsThatOfPlainTorch()
    {
        using var scope = NewDisposeScope();
        var names = Vgg16Features.Parameters(8);
        var weights = new RandomWeights(names.Append(new("classifier.6.weight", [10, 512])));
        var pictures = Pictures(2, Vgg16Features.Side);
        var expected = TorchReference.Run(
            """
            mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in ([.485, .456, .406], [.229, .224, .225]))
            x = (t["x"] - mean * 255) / (std * 255)
            for i in (0, 2, None, 5, 7, None, 10, 12, 14, None, 17, 19, 21, None, 24, 26, 28, None):
                if i is None:
                    x = F.max_pool2d(x, 2)
                else:
                    x = F.relu(F.conv2d(x, t[f"features.{i}.weight"], t[f"features.{i}.bias"], padding=1))
            x = x.flatten(1)
            for i in (0, 3):
                x = F.relu(F.linear(x, t[f"classifier.{i}.weight"], t[f"classifier.{i}.bias"]))
            out = x
            """,
            weights,
            names,
            ("x", pictures));
        using var vgg = Vgg16Features.Load(weights, CPU, 8);
        TorchReference.AssertNear(expected, vgg.Forward(pictures));
    }

    [Fact]
    public void Vgg16_OfTheWhole_HasItsSize() => Assert.Equal(
        134_260_544, Vgg16Features.Parameters().Sum(parameter => parameter.Value.Aggregate(1L, (a, b) => a * b)));

    [Fact]
    [Trait(Needs.Trait, Needs.Process)]
    public void Inception_IsThatOfPlainTorch()
    {
        using var scope = NewDisposeScope();
        var names = InceptionFeatures.Parameters();
        var weights = new PositiveVariances(new RandomWeights(names.Append(new("fc.bias", [1008]))));
        var pictures = Pictures(2, InceptionFeatures.Side);
        var expected = TorchReference.Run(
            """
            def c(n, x, stride=1, padding=0):
                bn = [t[n + ".bn." + k] for k in ("running_mean", "running_var", "weight", "bias")]
                return F.relu(F.batch_norm(F.conv2d(x, t[n + ".conv.weight"], None, stride, padding), *bn, False, 0, .001))
            def mean(x): return F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)
            def a(m, x):
                return torch.cat([c(m + "branch1x1", x), c(m + "branch5x5_2", c(m + "branch5x5_1", x), 1, 2),
                    c(m + "branch3x3dbl_3", c(m + "branch3x3dbl_2", c(m + "branch3x3dbl_1", x), 1, 1), 1, 1),
                    c(m + "branch_pool", mean(x))], 1)
            def b(m, x):
                return torch.cat([c(m + "branch3x3", x, 2),
                    c(m + "branch3x3dbl_3", c(m + "branch3x3dbl_2", c(m + "branch3x3dbl_1", x), 1, 1), 2), F.max_pool2d(x, 3, 2)], 1)
            def seven(m, x):
                p, q = (0, 3), (3, 0)
                one = c(m + "branch7x7_3", c(m + "branch7x7_2", c(m + "branch7x7_1", x), 1, p), 1, q)
                two = c(m + "branch7x7dbl_3", c(m + "branch7x7dbl_2", c(m + "branch7x7dbl_1", x), 1, q), 1, p)
                two = c(m + "branch7x7dbl_5", c(m + "branch7x7dbl_4", two, 1, q), 1, p)
                return torch.cat([c(m + "branch1x1", x), one, two, c(m + "branch_pool", mean(x))], 1)
            def d(m, x):
                one = c(m + "branch3x3_2", c(m + "branch3x3_1", x), 2)
                two = c(m + "branch7x7x3_3", c(m + "branch7x7x3_2", c(m + "branch7x7x3_1", x), 1, (0, 3)), 1, (3, 0))
                return torch.cat([one, c(m + "branch7x7x3_4", two, 2), F.max_pool2d(x, 3, 2)], 1)
            def e(m, x, pooled):
                one = c(m + "branch3x3_1", x)
                one = [c(m + "branch3x3_2a", one, 1, (0, 1)), c(m + "branch3x3_2b", one, 1, (1, 0))]
                two = c(m + "branch3x3dbl_2", c(m + "branch3x3dbl_1", x), 1, 1)
                two = [c(m + "branch3x3dbl_3a", two, 1, (0, 1)), c(m + "branch3x3dbl_3b", two, 1, (1, 0))]
                return torch.cat([c(m + "branch1x1", x), *one, *two, c(m + "branch_pool", pooled)], 1)
            x = (t["x"] - 128) / 128
            x = c("Conv2d_2b_3x3", c("Conv2d_2a_3x3", c("Conv2d_1a_3x3", x, 2)), 1, 1)
            x = F.max_pool2d(c("Conv2d_4a_3x3", c("Conv2d_3b_1x1", F.max_pool2d(x, 3, 2))), 3, 2)
            for m in "bcd": x = a(f"Mixed_5{m}.", x)
            x = b("Mixed_6a.", x)
            for m in "bcde": x = seven(f"Mixed_6{m}.", x)
            x = d("Mixed_7a.", x)
            x = e("Mixed_7b.", x, mean(x))
            x = e("Mixed_7c.", x, F.max_pool2d(x, 3, 1, 1))
            x = x.mean((2, 3))
            out = torch.cat([x / x.abs().max(), F.linear(x / x.abs().max(), t["fc.weight"])], 1)
            """,
            weights,
            names,
            ("x", pictures));
        using var inception = InceptionFeatures.Load(weights, CPU);
        var (features, logits) = inception.Forward(pictures);
        Assert.Equal([2, 2048], features.shape);
        var largest = features.abs().max();
        Assert.InRange(largest.item<float>(), 1e-6, 1e6);
        TorchReference.AssertNear(expected, cat([features.div(largest), logits.div(largest)], 1).contiguous(), 1e-4);
    }

    [Fact]
    public void Inception_OfACheckpointWithoutALayer_NamesIt()
    {
        var weights = new RandomWeights(InceptionFeatures.Parameters()).Without("Mixed_6c.branch7x7_2.bn.running_var");
        var error = Assert.Throws<WeightsMismatchException>(() => InceptionFeatures.Load(weights, CPU));
        Assert.Contains("Mixed_6c.branch7x7_2.bn.running_var", error.Message, StringComparison.Ordinal);
    }

    static Tensor Pictures(int count, int side)
    {
        using var generator = new Generator(5);
        return rand([count, 3, side, side], generator: generator).mul(s_largest);
    }

    /// <summary>Variances and factors as training leaves them: above 0, near 1.</summary>
    sealed class PositiveVariances(IWeightSource source) : IWeightSource
    {
        public string Description => source.Description;

        public IReadOnlyCollection<string> Names => source.Names;

        public bool TryGetShape(string name, [NotNullWhen(true)] out long[]? shape) => source.TryGetShape(name, out shape);

        public Tensor Load(string name, ScalarType dtype, Device device)
        {
            var value = source.Load(name, dtype, device);
            return name.EndsWith("bn.running_var", StringComparison.Ordinal) || name.EndsWith("bn.weight", StringComparison.Ordinal)
                ? value.sigmoid().add(Scalars.One, Scalars.One)
                : value;
        }
    }
}
