using System.ComponentModel.DataAnnotations;
using Taba.Diffusion.Models;
using TorchSharp;

namespace Taba.Diffusion.Engine;

/// <summary>The settings of one engine's batches. They are checked when the engine is made.</summary>
public sealed record EngineOptions
{
    /// <summary>The most rows of one forward pass.</summary>
    /// <value>The default value is 16.</value>
    [Range(1, 4096)]
    public int BatchSize { get; init; } = 16;

    /// <summary>
    /// Chooses <see cref="BatchSize"/> when the model is made, on the engine's thread and before anything runs on it.
    /// <see cref="Deterministic"/> overrules it.
    /// </summary>
    /// <value>The default value is null: <see cref="BatchSize"/> as it is.</value>
    public Func<IDenoiser, int>? ChooseBatch { get; init; }

    /// <summary>
    /// Begin with forward passes of at most this many rows, because more did not fit the device before. <see cref="Deterministic"/>
    /// overrules it.
    /// </summary>
    /// <value>The default value is null: <see cref="BatchSize"/>.</value>
    [Range(1, 4096)]
    public int? BatchLimit { get; init; }

    /// <summary>Rows of the device-resident state: trajectories that can be under way at once.</summary>
    /// <value>The default value is twice the rows of the largest forward pass.</value>
    [Range(1, 65536)]
    public int? Slots { get; init; }

    /// <summary>
    /// Pins every forward pass to <see cref="DeterministicBatch"/> rows, padded, so that a row's result does not depend on
    /// <see cref="BatchSize"/>, on its neighbours or on a restart.
    /// </summary>
    /// <value>The default value is false.</value>
    public bool Deterministic { get; init; }

    /// <summary>The one batch shape of <see cref="Deterministic"/>.</summary>
    /// <value>The default value is 16.</value>
    [Range(1, 4096)]
    public int DeterministicBatch { get; init; } = 16;

    /// <summary>Batch shapes to pad to when not <see cref="Deterministic"/>; those above <see cref="BatchSize"/> are ignored.</summary>
    /// <value>The default value is null: 1, 2, 3, 4, 6, 8, 12, 16 and so on, doubling, and <see cref="BatchSize"/> itself.</value>
    public IReadOnlyList<int>? Buckets { get; init; }

    /// <summary>The most opened trajectories that wait for a slot; one more is refused.</summary>
    /// <value>The default value is 1024.</value>
    [Range(1, 1 << 20)]
    public int MaxPending { get; init; } = 1024;

    /// <summary>Turns whose results may wait for the observers before the engine waits for them.</summary>
    /// <value>The default value is 8.</value>
    [Range(1, 4096)]
    public int OutputCapacity { get; init; } = 8;

    /// <summary>
    /// The longest that a forward pass which is short of rows waits for rows that are about to come: those whose segment
    /// has just ended, and openings that are arriving.
    /// </summary>
    /// <value>The default value is 5 ms.</value>
    public TimeSpan Linger { get; init; } = TimeSpan.FromMilliseconds(5);

    /// <summary><see cref="Linger"/> is also at most this share of the last forward pass.</summary>
    /// <value>The default value is 0.1.</value>
    [Range(0, 1e9)]
    public double LingerShare { get; init; } = 0.1;

    /// <summary>Names the model in thread names, metrics and errors.</summary>
    /// <value>The default value is "model".</value>
    [Required]
    public string Name { get; init; } = "model";

    /// <summary>Names the device in metrics.</summary>
    /// <value>The default value is null: the model's device.</value>
    public string? DeviceName { get; init; }

    /// <summary>The precision that the network computes in; only named in errors, the engine does not change it.</summary>
    /// <value>The default value is float32.</value>
    public torch.ScalarType NetworkPrecision { get; init; } = torch.ScalarType.Float32;

    /// <summary>The type in which states are kept between steps: float32, or float16 and bfloat16 as upstream has them on a GPU.</summary>
    /// <value>The default value is float32.</value>
    public torch.ScalarType StatePrecision { get; init; } = torch.ScalarType.Float32;

    /// <summary>Shared by everything that computes on the engine's device.</summary>
    /// <value>The default value is null: nothing else does.</value>
    public DeviceTurns? Turns { get; init; }

    /// <summary>Told of each forward pass before it begins.</summary>
    /// <value>The default value is null.</value>
    public IEvaluationJournal? Journal { get; init; }

    /// <summary>Told of what an operator wants to know. Called on the engine's threads; must return at once.</summary>
    /// <value>The default value is null.</value>
    public Action<EngineEvent>? Events { get; init; }

    /// <summary>These options, with the batch that was chosen for a model.</summary>
    /// <exception cref="ValidationException">It is none that an engine may have.</exception>
    internal EngineOptions For(IDenoiser model)
    {
        if (Deterministic || ChooseBatch is null)
            return this;
        var settled = this with { BatchSize = ChooseBatch(model) };
        Validator.ValidateObject(settled, new ValidationContext(settled), validateAllProperties: true);
        return settled;
    }

    internal int LargestBatch => Deterministic ? DeterministicBatch : BatchSize;

    internal int SlotCount => Slots ?? checked(2 * LargestBatch);
}
