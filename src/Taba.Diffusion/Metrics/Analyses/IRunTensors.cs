namespace Taba.Diffusion.Metrics.Analyses;

/// <summary>The tensors of a run, wherever they are, by what they are.</summary>
public interface IRunTensors
{
    /// <summary>Null when it is not there. One tensor may have several roles: samples that are pictures themselves.</summary>
    IMetricRows? Tensor(TensorRole role);

    /// <summary>What the tensor is called in the run's folder.</summary>
    string NameOf(TensorRole role);

    /// <summary>The tensors of each step that a run kept, in the order in which steps were made; null when it kept none.</summary>
    IReadOnlyList<IMetricRows>? Steps(TrajectoryRole role) => null;

    /// <summary>The texts that samples were made from, one a row; null when there are none.</summary>
    IReadOnlyList<string>? Prompts => null;
}
