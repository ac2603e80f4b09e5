using Taba.Diffusion.Models.Layers;
using Taba.Diffusion.Native;
using Taba.Diffusion.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace Taba.Diffusion.Models.TextEncoders;

/// <summary>
/// The encoder of T5 (Raffel et al. 2020, "Exploring the Limits of Transfer Learning"), for inference. Owns its parameters.
/// </summary>
public sealed class T5Encoder : IDisposable
{
    const string Bias = "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight";
    const string FinalNorm = "encoder.final_layer_norm.weight";

    readonly T5Config _config;
    readonly ParameterSet _parameters;
    readonly T5Block[] _blocks;
    readonly T5LayerNorm _finalNorm;

    /// <param name="config">The architecture.</param>
    /// <param name="parameters">Exactly those of <see cref="Parameters"/>, all on one device; the network owns them.</param>
    public T5Encoder(T5Config config, IReadOnlyDictionary<string, Tensor> parameters)
    {
        ArgumentNullException.ThrowIfNull(config);
        _config = config;
        _parameters = new ParameterSet(parameters);
        _blocks = [.. Enumerable.Range(0, config.NumLayers).Select(Block)];
        _finalNorm = new T5LayerNorm(_parameters[FinalNorm], config.LayerNormEpsilon);
    }

    /// <summary>The network's device.</summary>
    public Device Device => _parameters.Device;

    /// <summary>The width of the result.</summary>
    public int Width => _config.DModel;

    /// <summary>
    /// Every parameter's name and shape, in the order of the state dict. The token embedding is listed once, as
    /// <c>shared.weight</c>; a checkpoint may call it <c>encoder.embed_tokens.weight</c> or hold both.
    /// </summary>
    public static IReadOnlyList<KeyValuePair<string, long[]>> Parameters(T5Config config)
    {
        ArgumentNullException.ThrowIfNull(config);
        long width = config.DModel;
        long inner = (long)config.NumHeads * config.DKv;
        var list = new List<KeyValuePair<string, long[]>> { new(T5EmbeddingNames.Shared, [config.VocabSize, width]) };
        for (var i = 0; i < config.NumLayers; i++)
        {
            var attention = AttentionPrefix(i);
            foreach (var projection in new[] { "q", "k", "v" })
                list.Add(new($"{attention}.{projection}.weight", [inner, width]));
            list.Add(new($"{attention}.o.weight", [width, inner]));
            if (i == 0)
                list.Add(new(Bias, [config.RelativeAttentionNumBuckets, config.NumHeads]));
            list.Add(new($"encoder.block.{i}.layer.0.layer_norm.weight", [width]));
            foreach (var projection in InnerProjections(config))
                list.Add(new($"{FeedForwardPrefix(i)}.{projection}.weight", [config.DFf, width]));
            list.Add(new($"{FeedForwardPrefix(i)}.wo.weight", [width, config.DFf]));
            list.Add(new($"encoder.block.{i}.layer.1.layer_norm.weight", [width]));
        }

        list.Add(new(FinalNorm, [width]));
        return list;
    }

    /// <summary>
    /// The element type in which a parameter is held: in half precision T5 keeps the feed-forward's second projection in float32,
    /// since its products leave float16's range.
    /// </summary>
    public static ScalarType DtypeOf(string name, ScalarType dtype)
    {
        ArgumentNullException.ThrowIfNull(name);
        return name.EndsWith(".wo.weight", StringComparison.Ordinal) ? Widening.AtLeastSingle(dtype) : dtype;
    }

    /// <summary>Builds the network from a checkpoint.</summary>
    /// <param name="config">The architecture.</param>
    /// <param name="weights">The checkpoint; must hold exactly the architecture's parameters.</param>
    /// <param name="device">Where the network lives.</param>
    /// <param name="dtype">float32, float16 or bfloat16; see <see cref="DtypeOf"/> for the exception.</param>
    /// <exception cref="WeightsMismatchException">The checkpoint is of another architecture.</exception>
    public static T5Encoder Load(T5Config config, IWeightSource weights, Device device, ScalarType dtype)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(weights);
        ParameterSet.Computable(dtype);
        return ParameterSet.Load(
            new T5EmbeddingNames(weights), Parameters(config), device, name => DtypeOf(name, dtype),
            loaded => new T5Encoder(config, loaded));
    }

    /// <summary>Encodes token ids. Rows are independent of each other.</summary>
    /// <param name="inputIds">[B,L], int64.</param>
    /// <param name="attentionMask">[B,L], 1 for a token and 0 for padding; null when all are tokens.</param>
    /// <returns>last_hidden_state, [B,L,d_model], float32 (rounded to the network's type).</returns>
    /// <exception cref="ArgumentException">The shapes differ, or an id is not below vocab_size.</exception>
    public Tensor Forward(Tensor inputIds, Tensor? attentionMask = null) => Forward(inputIds, attentionMask, null);

    /// <summary>As the public one; <paramref name="observe"/> sees outputs by the names of the layers, and must not keep them.</summary>
    internal Tensor Forward(Tensor inputIds, Tensor? attentionMask, Action<string, Tensor>? observe)
    {
        ArgumentNullException.ThrowIfNull(inputIds);
        var shape = inputIds.shape;
        if (shape.Length != 2 || shape[1] < 1 || (attentionMask is not null && !attentionMask.shape.AsSpan().SequenceEqual(shape)))
        {
            var (ids, mask) = (string.Join(",", shape), string.Join(",", attentionMask?.shape ?? shape));
            throw new ArgumentException($"Token ids are [B,L] with a mask of the same shape, not [{ids}] with [{mask}].", nameof(inputIds));
        }

        using var scope = NewDisposeScope();
        RequireKnown(inputIds);
        var embedding = _parameters[T5EmbeddingNames.Shared];
        var h = embedding.index_select(0, inputIds.to(Device).flatten()).view(shape[0], shape[1], _config.DModel);
        observe?.Invoke("shared", h);
        var bias = AttentionBias((int)shape[1], attentionMask);
        for (var i = 0; i < _blocks.Length; i++)
        {
            var next = _blocks[i].Forward(h, bias);
            h.Dispose();
            h = next;
            observe?.Invoke($"encoder.block.{i}", h);
        }

        return _finalNorm.Forward(h).AtLeastSingle().MoveToOuterDisposeScope();
    }

    /// <summary>A parameter by its name; stays the network's.</summary>
    internal Tensor Parameter(string name) => _parameters[name];

    public void Dispose() => _parameters.Dispose();

    static string AttentionPrefix(int block) => $"encoder.block.{block}.layer.0.SelfAttention";

    static string FeedForwardPrefix(int block) => $"encoder.block.{block}.layer.1.DenseReluDense";

    static string[] InnerProjections(T5Config config) => config.IsGated ? ["wi_0", "wi_1"] : ["wi"];

    T5Block Block(int i)
    {
        var (attention, feedForward) = (AttentionPrefix(i), FeedForwardPrefix(i));
        return new T5Block(_config.NumHeads)
        {
            AttentionNorm = Norm(0),
            Q = _parameters[$"{attention}.q.weight"],
            K = _parameters[$"{attention}.k.weight"],
            V = _parameters[$"{attention}.v.weight"],
            O = _parameters[$"{attention}.o.weight"],
            FeedForwardNorm = Norm(1),
            Wi = [.. InnerProjections(_config).Select(name => _parameters[$"{feedForward}.{name}.weight"])],
            Wo = _parameters[$"{feedForward}.wo.weight"],
        };

        T5LayerNorm Norm(int layer) => new(_parameters[$"encoder.block.{i}.layer.{layer}.layer_norm.weight"], _config.LayerNormEpsilon);
    }

    /// <summary>The bias of every layer's scores: block 0's relative positions, and the type's lowest number on padding.</summary>
    /// <returns>[1 or B,heads,L,L], in the network's type.</returns>
    Tensor AttentionBias(int length, Tensor? attentionMask)
    {
        using var scope = NewDisposeScope();
        var weight = _parameters[Bias];
        var buckets = T5RelativePosition.Buckets(length, _config.RelativeAttentionNumBuckets, _config.RelativeAttentionMaxDistance).to(
            Device);
        var bias = weight.index_select(0, buckets.flatten()).view(length, length, _config.NumHeads).permute(2, 0, 1).unsqueeze(0);
        if (attentionMask is not null)
        {
            using var hidden = finfo(weight.dtype).min.ToScalar();
            var padding = attentionMask.to(Device).to(weight.dtype).neg().add(Scalars.One, Scalars.One).mul(hidden);
            bias = bias.add(padding.unsqueeze(1).unsqueeze(1), Scalars.One);
        }

        return bias.MoveToOuterDisposeScope();
    }

    /// <summary>An id outside the embedding would end a CUDA context, not only the call.</summary>
    void RequireKnown(Tensor inputIds)
    {
        if (inputIds.numel() == 0)
            return;
        var (least, most) = (inputIds.min().item<long>(), inputIds.max().item<long>());
        if (least < 0 || most >= _config.VocabSize)
            throw new ArgumentException(
                $"Token ids lie between {least} and {most}; the encoder knows 0 to {_config.VocabSize - 1}.", nameof(inputIds));
    }
}
