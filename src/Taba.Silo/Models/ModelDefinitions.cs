using Taba.Diffusion.Models;
using Taba.Diffusion.Schedules;
using Taba.Grains.Stages;

namespace Taba.Silo.Models;

/// <summary>Model descriptions as stages refer to them.</summary>
static class ModelDefinitions
{
    public static ModelDefinition Of(ModelIdentity model) => ModelFile.Read(model.Path).WithSampleSize(model.Height, model.Width);

    public static IDiffusionSchedule Schedule(StageSpec spec) => Of(spec.Model).CreateSchedule(spec.NumInferenceSteps);
}
