using System.Collections.Immutable;
using Taba.Grains.Sweeps;

namespace Taba.Grains.Planning;

/// <summary>Collects the tensor files of a run, under upstream's names (docs/upstream.md, section 4).</summary>
sealed class RunTensors(ModelFacts model, Precision precision)
{
    readonly ImmutableArray<RunTensor>.Builder _tensors = ImmutableArray.CreateBuilder<RunTensor>();

    public ImmutableArray<RunTensor> Build() => _tensors.ToImmutable();

    public void AddNoise(RowsRef noise) => _tensors.Add(new("noise", noise, TensorKinds.None, [], model.Identity.Shape));

    public void AddConditions(RowsRef conditions) => _tensors.Add(new("conds", conditions, TensorKinds.None, [], null));

    public void Add(string name, RowsRef rows) =>
        _tensors.Add(new(name, rows, TensorKinds.None, [], model.Identity.Shape) { Dtype = precision.State });

    /// <summary>Pictures of <c>samples</c> or <c>samples2</c>: upstream's LDM appends to the name, its DiT puts before it.</summary>
    public void AddDecoded(string name, RowsRef rows) =>
        _tensors.Add(new(
            model.Identity.Family == "ldm" ? $"{name}_decoded" : $"decoded_{name}", rows, TensorKinds.None, [], model.Autoencoder!.Pictures)
        {
            DecodedFrom = name,
            Dtype = precision.Network,
        });

    public void AddCaptures(StageSpec stage, string key, CaptureSelection kept)
    {
        foreach (var kind in kept.Kinds)
            _tensors.Add(
                new(stage.CaptureName(kind), new StageRows(key), kind, kept.Steps(kind), model.Identity.Shape) { Dtype = precision.State });
    }
}
