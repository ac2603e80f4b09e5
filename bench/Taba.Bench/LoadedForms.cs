using Taba.Diffusion.Weights;
using static TorchSharp.torch;

namespace Taba.Bench;

/// <summary>One network in each of the forms that are measured, from the same weights.</summary>
sealed class LoadedForms : IDisposable
{
    readonly PublishedNetwork _network;

    /// <param name="network">Which.</param>
    /// <param name="folder">Its weights.</param>
    /// <param name="bfloat16">Whether there is one in bfloat16.</param>
    public LoadedForms(PublishedNetwork network, string folder, bool bfloat16)
    {
        _network = network;
        using var weights = DiffusersWeights.Open(folder);
        LoadedForm Load(string name, ScalarType type, NetworkForm form) => new(name, type, network.Load(weights, type, form));
        All =
        [
            Load("plain, float32", ScalarType.Float32, NetworkForm.Plain),
            Load("fast, float32", ScalarType.Float32, NetworkForm.Fast),
            .. bfloat16 ? [Load("fast, bfloat16", ScalarType.BFloat16, NetworkForm.Fast)] : Array.Empty<LoadedForm>(),
        ];
    }

    /// <summary>The plain one first.</summary>
    public IReadOnlyList<LoadedForm> All { get; }

    /// <summary>One pass.</summary>
    public void Forward(LoadedForm form, Tensor[] inputs)
    {
        using var inference = inference_mode();
        using var scope = NewDisposeScope();
        _network.Forward(form.Network, inputs);
    }

    /// <summary>The largest difference of an output from the plain form's.</summary>
    public double Difference(LoadedForm form, Tensor[] inputs)
    {
        using var inference = inference_mode();
        using var scope = NewDisposeScope();
        var plain = _network.Forward(All[0].Network, inputs).to(ScalarType.Float32);
        return _network.Forward(form.Network, inputs).to(ScalarType.Float32).sub(plain).abs().max().item<float>();
    }

    public void Dispose()
    {
        foreach (var form in All)
            form.Network.Dispose();
    }
}

/// <summary>A network that is loaded.</summary>
/// <param name="Name">For the table.</param>
/// <param name="Type">What it computes in.</param>
/// <param name="Network">For <see cref="PublishedNetwork.Forward"/>.</param>
sealed record LoadedForm(string Name, ScalarType Type, IDisposable Network);
