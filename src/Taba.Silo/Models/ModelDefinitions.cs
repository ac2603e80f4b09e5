using System.Collections.Concurrent;
using Taba.Diffusion.Models;
using Taba.Diffusion.Models.Autoencoders;
using Taba.Diffusion.Models.Families;
using Taba.Diffusion.Schedules;
using Taba.Diffusion.Weights;
using Taba.Diffusion.Weights.Hub;

namespace Taba.Silo.Models;

/// <summary>Model descriptions as stages refer to them.</summary>
static class ModelDefinitions
{
    const int Most = 64;

    static readonly ConcurrentDictionary<ModelIdentity, ModelDefinition> s_read = new();

    /// <summary>The model of a stage with steps. Read once: its digest says what it is.</summary>
    public static ModelDefinition Of(ModelIdentity model)
    {
        if (s_read.Count > Most)
            s_read.Clear();
        return s_read.GetOrAdd(model, m => At(m.Path).WithSampleSize(m.Height, m.Width));
    }

    /// <summary>The model at a path: a Hugging Face folder, or a model.json.</summary>
    /// <param name="path">The folder or file.</param>
    /// <param name="name">What the user calls a folder; null is the repository whose snapshot it is, or the folder's name.</param>
    public static ModelDefinition At(string path, string? name = null) =>
        ModelFolder.IsModelFolder(path) ? DiffusersModel.Read(path, name ?? HubRepository.OfSnapshot(path)?.Id) : ModelFile.Read(path);

    /// <summary>The autoencoder of a decode or encode stage.</summary>
    public static AutoencoderDefinition Autoencoder(ModelIdentity model) => AutoencoderDefinition.Read(model.Path);

    /// <summary>The noise levels of a stage.</summary>
    public static IDiffusionSchedule Schedule(ModelDefinition definition, StageSpec spec) =>
        definition.CreateSchedule(spec.NumInferenceSteps, spec.Forward?.Consistent ?? false);
}
