using Taba.Diffusion.Models;
using Taba.Grains;
using Taba.Grains.Sweeps;
using Taba.Silo.Models;

namespace Taba.Client.Commands;

/// <summary>What a model's description leaves to trust, in sentences: a wrong value there gives wrong numbers and no error.</summary>
static class ModelNotes
{
    /// <summary>The schedule that its numbers follow.</summary>
    public static string Schedule(ModelDefinition definition) =>
        (definition as GuidedDiffusionDefinition)?.ScheduleText ?? $"{definition.TrainingSteps} diffusion steps";

    /// <summary>The notes on models that are described here; others are found, or refused, later.</summary>
    public static IEnumerable<string> Of(IEnumerable<ModelSelection> models) => models.SelectMany(model =>
    {
        try
        {
            return Of(ModelCatalogue.Define(model));
        }
        catch (BadInputException)
        {
            return [];
        }
    });

    public static IEnumerable<string> Of(ModelDefinition definition)
    {
        if (definition is not GuidedDiffusionDefinition described)
            yield break;
        if (described.Assumed.Count > 0)
        {
            yield return $"assumed, because the model.json of {described.Name} does not say it: {string.Join(", ", described.Assumed)}; "
                + "a wrong value gives wrong numbers and no error";
        }
        if (described.Unconfirmed.Count > 0)
        {
            yield return $"guessed, because no checkpoint tells it: {string.Join(", ", described.Unconfirmed)} of {described.Name}; "
                + "check them against the flags of the training, and take the field _untold out of its model.json";
        }
    }
}
