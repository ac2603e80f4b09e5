using Taba.Diffusion.Weights;
using static TorchSharp.torch;

namespace Taba.Diffusion.Models.Layers;

/// <summary>The parameters of one network by the names of its state dict, on one device. Owns them.</summary>
sealed class ParameterSet : IDisposable
{
    readonly IReadOnlyDictionary<string, Tensor> _tensors;

    /// <param name="tensors">At least one; all of one device.</param>
    public ParameterSet(IReadOnlyDictionary<string, Tensor> tensors)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        _tensors = tensors;
        Device = tensors.Values.First().device;
    }

    public Device Device { get; }

    /// <summary>A parameter by its full name.</summary>
    public Tensor this[string name] => _tensors.TryGetValue(name, out var tensor)
        ? tensor
        : throw new ArgumentException($"The network needs a parameter '{name}', which it was not given.", nameof(name));

    /// <summary>Loads exactly the parameters that a network expects and builds it over them; frees them when that fails.</summary>
    /// <param name="weights">The checkpoint.</param>
    /// <param name="expected">Names and shapes.</param>
    /// <param name="device">Where they go.</param>
    /// <param name="dtype">The element type of each, by name.</param>
    /// <param name="build">Makes the network, which owns the parameters then.</param>
    /// <exception cref="WeightsMismatchException">The checkpoint is of another architecture.</exception>
    public static T Load<T>(
        IWeightSource weights,
        IReadOnlyList<KeyValuePair<string, long[]>> expected,
        Device device,
        Func<string, ScalarType> dtype,
        Func<IReadOnlyDictionary<string, Tensor>, T> build)
    {
        ArgumentNullException.ThrowIfNull(weights);
        WeightsMismatchException.ThrowIfDifferent(weights, expected);
        var loaded = new Dictionary<string, Tensor>(expected.Count, StringComparer.Ordinal);
        try
        {
            foreach (var (name, _) in expected)
                loaded.Add(name, weights.Load(name, dtype(name), device).DetachFromDisposeScope());
            return build(loaded);
        }
        catch
        {
            foreach (var tensor in loaded.Values)
                tensor.Dispose();
            throw;
        }
    }

    /// <summary>As the other overload, for a network whose parameters all have one type.</summary>
    public static T Load<T>(
        IWeightSource weights,
        IReadOnlyList<KeyValuePair<string, long[]>> expected,
        Device device,
        ScalarType dtype,
        Func<IReadOnlyDictionary<string, Tensor>, T> build) =>
        Load(weights, expected, device, _ => Computable(dtype), build);

    /// <summary>A network's element type; others are refused.</summary>
    /// <exception cref="ArgumentException">It is not a floating-point type.</exception>
    public static ScalarType Computable(ScalarType dtype) =>
        dtype is ScalarType.Float64 or ScalarType.Float32 or ScalarType.Float16 or ScalarType.BFloat16
            ? dtype
            : throw new ArgumentException($"A network computes in float16, bfloat16, float32 or float64, not {dtype}.", nameof(dtype));

    /// <summary>A linear layer; its bias may be absent.</summary>
    public Linear Linear(string prefix) => new(this[$"{prefix}.weight"], _tensors.GetValueOrDefault($"{prefix}.bias"));

    public Convolution Conv(string prefix, long stride = 1, long? padding = null) =>
        new(this[$"{prefix}.weight"], this[$"{prefix}.bias"], stride, padding);

    public GroupNorm Norm(string prefix, int groups, double eps) => new(this[$"{prefix}.weight"], this[$"{prefix}.bias"], groups, eps);

    public void Dispose()
    {
        foreach (var tensor in _tensors.Values)
            tensor.Dispose();
    }
}
