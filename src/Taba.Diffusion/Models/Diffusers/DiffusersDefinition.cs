using Taba.Diffusion.Schedules;
using Taba.Diffusion.Weights;
using static TorchSharp.torch;

namespace Taba.Diffusion.Models.Diffusers;

/// <summary>A model of a Hugging Face folder: its config files decide its architecture.</summary>
public abstract record DiffusersDefinition : ModelDefinition
{
    const string SchedulerComponent = "scheduler";

    /// <summary>The folder, which holds model_index.json.</summary>
    public required ModelFolder Folder { get; init; }

    /// <summary>The scheduler's settings.</summary>
    public required DdimSchedulerConfig Scheduler { get; init; }

    public override int TrainingSteps => Scheduler.NumTrainTimesteps;

    public override string Canonical => $"{Architecture} shape={Shape} {Scheduler.Canonical}";

    /// <summary>The component that holds the network: unet or transformer.</summary>
    protected abstract string Component { get; }

    /// <summary>The family and its configs, in one line.</summary>
    protected abstract string Architecture { get; }

    public override string? WhyNot(int numInferenceSteps) => DiffusersSchedule.WhyNot(Scheduler, numInferenceSteps);

    public override IDiffusionSchedule CreateSchedule(int numInferenceSteps, bool consistentForward = false) =>
        new DiffusersSchedule(Scheduler, numInferenceSteps, consistentForward);

    /// <remarks>Files of every component on which the network's predictions depend.</remarks>
    public override IReadOnlyList<string> WeightFiles(string? given)
    {
        RefuseGiven(given);
        using var weights = Folder.OpenWeights(Component);
        return weights.Files;
    }

    public override void CheckWeights(string? given)
    {
        RefuseGiven(given);
        using var weights = Folder.OpenWeights(Component);
        WeightsMismatchException.ThrowIfDifferent(Shown(weights), Parameters);
    }

    public override IDenoiser Load(string? given, Device device, ScalarType networkDtype, NetworkForm form = NetworkForm.Fast)
    {
        RefuseGiven(given);
        using var weights = Folder.OpenWeights(Component);
        return Build(weights, device, networkDtype, form);
    }

    /// <summary>The scheduler's settings of a folder.</summary>
    protected static DdimSchedulerConfig SchedulerOf(ModelFolder folder) =>
        DdimSchedulerConfig.Parse(folder.Config(SchedulerComponent), folder.ConfigPath(SchedulerComponent));

    /// <summary>The component's weights under the names of <see cref="ModelDefinition.Parameters"/>.</summary>
    protected virtual IWeightSource Shown(IWeightSource weights) => weights;

    /// <summary>Builds the network from the component's weights.</summary>
    protected abstract IDenoiser Build(IWeightSource weights, Device device, ScalarType networkDtype, NetworkForm form);

    /// <summary>Refuses a size that the network cannot halve as often as it does.</summary>
    protected void CheckHalvings(int height, int width, int times)
    {
        var multiple = 1 << times;
        if (height < 1 || width < 1 || height % multiple != 0 || width % multiple != 0)
        {
            throw new ArgumentException(
                $"Model {Name} cannot work on {height}x{width}: its sides must be multiples of {multiple}, because it halves them "
                + $"{times} times.");
        }
    }

    void RefuseGiven(string? given)
    {
        if (given is not null)
            throw new ArgumentException(
                $"Model {Name} is a Hugging Face folder, which brings its weights; leave out --weights {given}.", nameof(given));
    }
}
