using Taba.Diffusion.Models.Kernels;
using Taba.Diffusion.Native;
using Taba.Diffusion.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace Taba.Diffusion.Models.Layers;

/// <summary>
/// The parameters of one network by the names of its state dict, on one device, and the layers made of them. Owns them. In the fast form
/// a layer keeps its parameters in an order of its own, and those that it was made of are freed: each layer is asked for once.
/// </summary>
sealed class ParameterSet : IDisposable
{
    /// <summary>oneDNN fills up blocks of so many channels; a product of fewer gains nothing by it.</summary>
    const long Block = 16;

    readonly IReadOnlyDictionary<string, Tensor> _tensors;
    readonly List<IDisposable> _kept = [];

    /// <param name="tensors">At least one; all of one device.</param>
    /// <param name="form">How layers are computed.</param>
    public ParameterSet(IReadOnlyDictionary<string, Tensor> tensors, NetworkForm form = NetworkForm.Plain)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        _tensors = tensors;
        Device = tensors.Values.First().device;
        CudaArithmetic.AllowTf32(Device);
        if (Device.type == DeviceType.CPU)
            HiddenCaches.LetOneDnnKnow();
        Times = new(this);
        IsFast = form == NetworkForm.Fast && Device.type == DeviceType.CPU && OneDnn.IsAvailable && TensorMemory.IsAvailable
            && tensors.Values.All(tensor => OneDnn.Packs(tensor.dtype));
    }

    public Device Device { get; }

    /// <summary>Whether layers are computed by oneDNN and own kernels: states have the channels innermost then.</summary>
    public bool IsFast { get; }

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
    public Linear Linear(string prefix)
    {
        var (weight, bias) = (this[$"{prefix}.weight"], _tensors.GetValueOrDefault($"{prefix}.bias"));
        if (!IsFast || weight.size(0) % Block != 0 || weight.size(1) % Block != 0)
            return new(weight, bias);
        var packed = Layers.Linear.Pack(weight, bias, _kept.Add);
        Free(weight, bias);
        return packed;
    }

    /// <summary>One linear layer that does what several do; their outputs follow each other.</summary>
    public Linear Linear(IReadOnlyList<string> prefixes)
    {
        using var scope = NewDisposeScope();
        Tensor[] weights = [.. prefixes.Select(prefix => this[$"{prefix}.weight"])];
        Tensor[] biases = [.. prefixes.Select(prefix => _tensors.GetValueOrDefault($"{prefix}.bias")).OfType<Tensor>()];
        var (weight, bias) = (cat(weights, 0), biases.Length == 0 ? null : cat(biases, 0));
        foreach (var part in weights.Concat(biases))
            part.Dispose();
        return IsFast && weight.size(0) % Block == 0 && weight.size(1) % Block == 0
            ? Layers.Linear.Pack(weight, bias, _kept.Add)
            : new(Own(weight), bias is null ? null : Own(bias));
    }

    public Convolution Conv(string prefix, long stride = 1, long? padding = null)
    {
        var (weight, bias) = (this[$"{prefix}.weight"], this[$"{prefix}.bias"]);
        if (!IsFast)
            return new(weight, bias, stride, padding);
        var packed = Convolution.Pack(weight, bias, stride, padding, _kept.Add);
        Free(weight, bias);
        return packed;
    }

    public GroupNorm Norm(string prefix, int groups, double eps)
    {
        var (weight, bias) = (this[$"{prefix}.weight"], this[$"{prefix}.bias"]);
        if (!IsFast || !NormKernel.Takes(weight.size(0)))
            return new(weight, bias, groups, eps);
        var norm = new GroupNorm(Own(weight.to(ScalarType.Float32)), Own(bias.to(ScalarType.Float32)), groups, eps, fused: true);
        Free(weight, bias);
        return norm;
    }

    /// <summary>Linear layers of one input; in the fast form they are one product.</summary>
    public LinearGroup LinearGroup(params string[] prefixes) =>
        IsFast ? new([Linear(prefixes)], prefixes.Length) : new([.. prefixes.Select(Linear)], prefixes.Length);

    /// <summary>Projections of the time embedding, one for each residual block; in the fast form they are one product.</summary>
    public TimeProjections Times { get; }

    /// <summary>Keeps a tensor as long as the network is there.</summary>
    public Tensor Own(Tensor tensor)
    {
        _kept.Add(tensor.DetachFromDisposeScope());
        return tensor;
    }

    public void Dispose()
    {
        foreach (var tensor in _tensors.Values)
            tensor.Dispose();
        foreach (var kept in _kept)
            kept.Dispose();
    }

    static void Free(Tensor weight, Tensor? bias)
    {
        weight.Dispose();
        bias?.Dispose();
    }
}
