using TorchSharp;

namespace Taba.Diffusion.Native;

/// <summary>
/// The numbers that libtorch is given most often, wrapped once and never freed. TorchSharp frees a scalar that nothing refers to,
/// even while libtorch reads it; so no number is converted on the way to a call, and <c>add</c> is told its factor, which TorchSharp
/// would otherwise convert itself. They are integers: a tensor of integers stays one. Other numbers: docs/design/native-libraries.md.
/// </summary>
public static class Scalars
{
    /// <summary>-1.</summary>
    public static readonly Scalar MinusOne = (-1).ToScalar();

    /// <summary>0.</summary>
    public static readonly Scalar Zero = 0.ToScalar();

    /// <summary>1.</summary>
    public static readonly Scalar One = 1.ToScalar();

    /// <summary>2.</summary>
    public static readonly Scalar Two = 2.ToScalar();
}
