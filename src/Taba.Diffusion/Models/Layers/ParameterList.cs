namespace Taba.Diffusion.Models.Layers;

/// <summary>Names and shapes of the parameters that a plan asks for, in the order of the state dict.</summary>
sealed class ParameterList
{
    readonly List<KeyValuePair<string, long[]>> _list = [];

    public IReadOnlyList<KeyValuePair<string, long[]>> Items => _list;

    public void Add(string name, params long[] shape) => _list.Add(new(name, shape));

    /// <summary><c>weight</c> [out,in] and <c>bias</c> [out].</summary>
    public void Linear(string prefix, long input, long output, bool bias = true)
    {
        Add($"{prefix}.weight", output, input);
        if (bias)
            Add($"{prefix}.bias", output);
    }

    /// <summary><c>weight</c> [out,in,k,k] and <c>bias</c> [out].</summary>
    public void Conv(string prefix, long input, long output, long kernel)
    {
        Add($"{prefix}.weight", output, input, kernel, kernel);
        Add($"{prefix}.bias", output);
    }

    /// <summary><c>weight</c> and <c>bias</c>, [channels] each.</summary>
    public void Norm(string prefix, long channels)
    {
        Add($"{prefix}.weight", channels);
        Add($"{prefix}.bias", channels);
    }
}
