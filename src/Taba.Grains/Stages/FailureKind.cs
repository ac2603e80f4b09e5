namespace Taba.Grains.Stages;

/// <summary>Why a sample could not be computed.</summary>
public enum FailureKind
{
    /// <summary>Nothing more is known than the reason says.</summary>
    Other,

    /// <summary>NaN or Inf in its prediction or state. In half precision it is computed once more in float32.</summary>
    NonFinite,

    /// <summary>The network throws for this sample, also when it is alone, and not for others.</summary>
    Poison,

    /// <summary>Its input is not what its stage takes.</summary>
    Input,

    /// <summary>The device has too little memory for it alone.</summary>
    OutOfMemory,
}
