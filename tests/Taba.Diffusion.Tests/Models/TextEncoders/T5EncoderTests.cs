using Taba.Diffusion.Models.TextEncoders;
using Taba.Diffusion.Native;
using Taba.Diffusion.Weights;
using TorchSharp;
using static Taba.Diffusion.Tests.Models.NetworkChecks;
using static TorchSharp.torch;

namespace Taba.Diffusion.Tests.Models.TextEncoders;

public sealed class T5EncoderTests
{
    const string Tiny = "models/if_tiny/text_encoder/config.json";

    internal static readonly T5Config tiny = T5Config.Parse(ConfigEdit.Read(Tiny), Tiny);

    internal static T5Encoder Encoder(T5Config config, ScalarType dtype = ScalarType.Float32) =>
        T5Encoder.Load(config, Weights(config), CPU, dtype);

    static RandomWeights Weights(T5Config config) => new(T5Encoder.Parameters(config));

    static Tensor Ids(long rows, long length)
    {
        using var generator = new Generator(3);
        return randint(0, tiny.VocabSize, [rows, length], dtype: ScalarType.Int64, generator: generator);
    }

    [Theory]
    [InlineData("feed_forward_proj", "\"gated-silu\"", "relu, gated-gelu")]
    [InlineData("dense_act_fn", "\"silu\"", "gelu_new")]
    [InlineData("is_gated_act", "false", "true")]
    [InlineData("model_type", "\"umt5\"", "t5")]
    [InlineData("num_layers", "0", "1 to 256")]
    [InlineData("d_model", "\"32\"", "an integer")]
    [InlineData("d_model", "1e9", "an integer")]
    [InlineData("relative_attention_num_buckets", "30", "a multiple of 4")]
    [InlineData("relative_attention_max_distance", "8", "from 9")]
    [InlineData("layer_norm_epsilon", "-1", "from 0 to 1")]
    public void Parse_UnsupportedValue_NamesFileFieldAndWhatIsKnown(string field, string value, string known) =>
        RequireRefused(() => T5Config.Parse(ConfigEdit.With(Tiny, (field, value)), Source), field, known);

    [Fact]
    public void Parse_UnknownFields_Ignored() => Assert.Equal(tiny, T5Config.Parse(ConfigEdit.With(Tiny, ("future", "[1,2]")), Tiny));

    [Fact]
    public void Parse_NotAnObject_Refuses() =>
        Assert.Throws<InvalidDataException>(() => T5Config.Parse(System.Text.Json.JsonDocument.Parse("[]").RootElement, Tiny));

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public void Load_EmbeddingUnderEitherNameOrBoth_IsTaken(bool shared, bool tied)
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        long[] shape = [tiny.VocabSize, tiny.DModel];
        var weights = Weights(tiny);
        if (!shared)
            weights = weights.Without("shared.weight");
        if (tied)
            weights = weights.With("encoder.embed_tokens.weight", shape);
        using var encoder = T5Encoder.Load(tiny, weights, CPU, ScalarType.Float32);

        var stored = weights.Load(shared ? "shared.weight" : "encoder.embed_tokens.weight", ScalarType.Float32, CPU);

        Assert.Equal(stored.data<float>().ToArray(), encoder.Parameter("shared.weight").data<float>().ToArray());
    }

    [Fact]
    public void Load_NoEmbedding_Missing()
    {
        var error = Assert.Throws<WeightsMismatchException>(
            () => T5Encoder.Load(tiny, Weights(tiny).Without("shared.weight"), CPU, ScalarType.Float32));

        Assert.Equal(["shared.weight"], error.Missing);
    }

    [Theory]
    [InlineData(ScalarType.BFloat16, 0.1)]
    [InlineData(ScalarType.Float16, 0.02)]
    public void Forward_HalfPrecision_CloseToSingleAndWoStaysSingle(ScalarType dtype, double tolerance)
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var single = Encoder(tiny);
        using var half = Encoder(tiny, dtype);
        var ids = Ids(2, 9);

        var (expected, actual) = (single.Forward(ids), half.Forward(ids));

        RequireNear(expected, actual, tolerance);
        Assert.Equal(ScalarType.Float32, half.Parameter("encoder.block.1.layer.1.DenseReluDense.wo.weight").dtype);
        Assert.Equal(dtype, half.Parameter("encoder.block.1.layer.1.DenseReluDense.wi_0.weight").dtype);
    }

    [Fact]
    public void Forward_FixedBatch_RowDoesNotDependOnNeighboursOrPlace()
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var encoder = Encoder(tiny);
        var ids = Ids(8, 77);
        var mask = stack(
            [.. Enumerable.Range(0, 8).Select(row => tensor([.. Enumerable.Range(0, 77).Select(i => i < 5 + (9 * row) ? 1L : 0)]))]);
        var order = tensor([7L, 3, 3, 0, 1, 3, 2, 5]);

        var straight = encoder.Forward(ids, mask);
        var turned = encoder.Forward(ids.index_select(0, order), mask.index_select(0, order));

        Assert.True(turned.equal(straight.index_select(0, order)).all().item<bool>());
    }

    [Fact]
    public void Forward_MaskedTokens_DoNotReachTheOthers()
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var encoder = Encoder(tiny);
        var (ids, others) = (Ids(1, 8), Ids(1, 8));
        others[0, 6] = 1;
        others[0, 7] = 200;
        var mask = tensor(new long[,] { { 1, 1, 1, 1, 1, 1, 0, 0 } });

        var (a, b) = (encoder.Forward(ids, mask), encoder.Forward(others, mask));

        Assert.True(a.narrow(1, 0, 6).equal(b.narrow(1, 0, 6)).all().item<bool>());
        Assert.False(encoder.Forward(ids).narrow(1, 0, 6).equal(encoder.Forward(others).narrow(1, 0, 6)).all().item<bool>());
    }

    [Fact]
    public void Forward_ReluFeedForward_WoOfReluOfWi()
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        var config = T5Config.Parse(
            ConfigEdit.With(Tiny, ("feed_forward_proj", "\"relu\""), ("is_gated_act", null), ("dense_act_fn", null), ("num_layers", "1")),
            Tiny);
        using var encoder = Encoder(config);
        Tensor Parameter(string name) => encoder.Parameter($"encoder.block.0.layer.{name}.weight");
        using var epsilon = 1e-6.ToScalar();
        Tensor Norm(Tensor x, Tensor weight) => x / x.pow(Scalars.Two).mean([-1], keepdim: true).add(epsilon, Scalars.One).sqrt() * weight;

        // A single token attends to itself alone, whatever the scores.
        var h = encoder.Parameter("shared.weight").narrow(0, 5, 1);
        h = h.add(Norm(h, Parameter("0.layer_norm")).matmul(Parameter("0.SelfAttention.v").t()).matmul(
            Parameter("0.SelfAttention.o").t()), Scalars.One);
        var inner = Norm(h, Parameter("1.layer_norm")).matmul(Parameter("1.DenseReluDense.wi").t()).relu();
        h = h.add(inner.matmul(Parameter("1.DenseReluDense.wo").t()), Scalars.One);
        var expected = Norm(h, encoder.Parameter("encoder.final_layer_norm.weight"));

        var actual = encoder.Forward(tensor(new long[,] { { 5 } }));

        Assert.InRange((actual[0] - expected).abs().max().item<float>(), 0, 1e-5);
    }

    [Fact]
    public void Forward_Float16OverflowInOneRow_HeldThereOthersUntouched()
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        var config = tiny with { VocabSize = 3, DModel = 4, DKv = 4, NumHeads = 1, DFf = 4, NumLayers = 1 };
        var parameters = T5Encoder.Parameters(config).ToDictionary(
            p => p.Key,
            p => (p.Value.Length == 1 ? ones(p.Value) : zeros(p.Value)).to(
                T5Encoder.DtypeOf(p.Key, ScalarType.Float16)).DetachFromDisposeScope(),
            StringComparer.Ordinal);
        parameters["encoder.block.0.layer.0.SelfAttention.v.weight"].copy_(eye(4).mul(tensor(100f)));
        parameters["encoder.block.0.layer.0.SelfAttention.o.weight"].copy_(eye(4).mul(tensor(100f)));

        // The attention adds about 20000 to the first channel: 70000, beyond float16; 65000, between the two bounds.
        parameters["shared.weight"].copy_(tensor(new float[,] { { 0, 0, 0, 0 }, { 50000, 0, 1000, 0 }, { 45000, 0, 1000, 0 } }));
        using var encoder = new T5Encoder(config, parameters);

        var (mixed, alone) = (encoder.Forward(tensor(new long[,] { { 1 }, { 2 } })), encoder.Forward(tensor(new long[,] { { 2 }, { 2 } })));

        Assert.True(mixed.isfinite().all().item<bool>());
        Assert.True(mixed[1].equal(alone[1]).all().item<bool>());
        Assert.Equal(2, mixed[1, 0, 0].item<float>(), 2e-3);
    }

    [Fact]
    public void Forward_IdBeyondTheVocabulary_Refuses()
    {
        using var scope = NewDisposeScope();
        using var encoder = Encoder(tiny);

        var error = Assert.Throws<ArgumentException>(() => encoder.Forward(tensor(new long[,] { { 1, tiny.VocabSize } })));

        Assert.Contains($"0 to {tiny.VocabSize - 1}", error.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => encoder.Forward(tensor(new long[,] { { -1 } })));
        Assert.Throws<ArgumentException>(() => encoder.Forward(tensor([1L])));
        Assert.Throws<ArgumentException>(() => encoder.Forward(tensor(new long[,] { { 1 } }), tensor([1L])));
    }

    [Fact]
    public void Buckets_PublishedSizes_ExactThenLogarithmicThenOne()
    {
        using var scope = NewDisposeScope();
        var buckets = T5RelativePosition.Buckets(200, 32, 128);

        Assert.Equal(
            [0, 1, 7, 8, 8, 10, 12, 14, 15, 15], new[] { 0, 1, 7, 8, 11, 16, 32, 64, 127, 199 }.Select(d => buckets[d, 0].item<long>()));
        Assert.Equal([17, 23, 24, 31], new[] { 1, 7, 8, 199 }.Select(d => buckets[0, d].item<long>()));
    }
}
