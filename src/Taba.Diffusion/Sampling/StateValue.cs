using Taba.Diffusion.Native;
using static TorchSharp.torch;

namespace Taba.Diffusion.Sampling;

/// <summary>
/// A tensor in the arithmetic of a step, so that one formula serves both kinds of state. A float32 state is computed with in the type
/// of its numbers (float64), and rounded once when the step is done. A state in half precision is computed with in float32, and
/// every operation is rounded to the state's type, as upstream's DiT and DeepFloyd IF compute on a GPU.
/// </summary>
readonly struct StateValue
{
    readonly Tensor _value;
    readonly ScalarType? _half;

    StateValue(Tensor value, ScalarType? half)
    {
        _half = half;
        _value = half is { } type ? value.to(type).to(ScalarType.Float32) : value;
    }

    /// <summary>The value as a tensor, in the arithmetic's type.</summary>
    public Tensor Tensor => _value;

    /// <summary>Takes a tensor into the arithmetic.</summary>
    /// <param name="tensor">[B,C,H,W].</param>
    /// <param name="arithmetic">The type of the arithmetic.</param>
    /// <param name="state">Float32, Float16 or BFloat16.</param>
    public static StateValue Of(Tensor tensor, ScalarType arithmetic, ScalarType state) =>
        new(tensor.to(arithmetic), state == ScalarType.Float32 ? null : state);

    public static StateValue operator *(Tensor number, StateValue value) => value.With(value._value.mul(number));

    public static StateValue operator /(StateValue value, Tensor number) => value.With(value._value.div(number));

    public static StateValue operator +(StateValue a, StateValue b) => a.With(a._value.add(b._value, Scalars.One));

    public static StateValue operator -(StateValue a, StateValue b) => a.With(a._value.sub(b._value));

    /// <summary>The result of an operation on this value, rounded where the arithmetic asks for it.</summary>
    public StateValue With(Tensor result) => new(result, _half);
}
