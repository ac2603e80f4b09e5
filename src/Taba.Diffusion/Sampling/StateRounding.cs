using static TorchSharp.torch;

namespace Taba.Diffusion.Sampling;

/// <summary>Rounds float32 values to what a state's type can represent, to nearest and ties to even, as libtorch does.</summary>
public static class StateRounding
{
    /// <summary>Rounds every value.</summary>
    /// <returns>A new tensor of the same type.</returns>
    public static Tensor Apply(Tensor values, ScalarType type) =>
        type == ScalarType.Float32 ? values.clone() : values.to(type).to(values.dtype);

    /// <summary>Rounds every value; nothing changes for float32.</summary>
    public static void Apply(Span<float> values, ScalarType type)
    {
        if (type == ScalarType.Float32)
            return;
        for (var i = 0; i < values.Length; i++)
            values[i] = Round(values[i], type);
    }

    /// <summary>One value.</summary>
    public static float Round(float value, ScalarType type) => type switch
    {
        ScalarType.Float32 => value,
        ScalarType.Float16 => (float)(Half)value,
        ScalarType.BFloat16 => Brain(value),
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "A state is float32, float16 or bfloat16."),
    };

    static float Brain(float value)
    {
        if (!float.IsFinite(value))
            return value;
        var bits = BitConverter.SingleToUInt32Bits(value);
        // Half a unit of the sixteenth place, less one where that place is even.
        bits += 0x7fff + ((bits >> 16) & 1);
        return BitConverter.UInt32BitsToSingle(bits & 0xffff0000);
    }
}
