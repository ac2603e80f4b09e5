using Taba.Diffusion.Models;

namespace Taba.Diffusion.Engine;

/// <summary>Refuses trajectories that cannot run, with the number that is wrong.</summary>
static class RequestChecks
{
    /// <summary>Checks what needs no model.</summary>
    public static void Check(TrajectoryRequest request)
    {
        ArgumentNullException.ThrowIfNull(request.Schedule);
        ArgumentNullException.ThrowIfNull(request.Observer);
        var steps = request.Schedule.NumInferenceSteps;
        if (request.FirstStep < 0 || request.FirstStep >= steps)
        {
            throw new ArgumentOutOfRangeException(
                nameof(request), request.FirstStep, $"FirstStep must be 0 to {steps - 1}: the schedule has {steps} steps.");
        }
        if (request.ForwardNoise is not null && request.ForwardAlphaBar is not (>= 0 and <= 1))
            throw new ArgumentOutOfRangeException(nameof(request), request.ForwardAlphaBar, "ForwardAlphaBar must lie in [0,1].");
        if (request.Swap is null)
            return;
        if (request.SwapBefore < 0 || request.SwapBefore > steps)
        {
            throw new ArgumentOutOfRangeException(
                nameof(request), request.SwapBefore, $"SwapBefore must be 0 to {steps}, the steps of the schedule.");
        }
        if (request.SwapRow is null && request.SwapBefore > request.FirstStep)
        {
            throw new ArgumentException(
                $"Steps {request.FirstStep} to {request.SwapBefore - 1} are to be swapped, but SwapRow is null.", nameof(request));
        }
    }

    /// <summary>Checks what depends on the model.</summary>
    /// <param name="trajectory">The trajectory.</param>
    /// <param name="model">The model.</param>
    /// <param name="largestBatch">The most rows of a forward pass.</param>
    public static void Check(Trajectory trajectory, DenoiserFacts model, int largestBatch)
    {
        CheckGuidance(trajectory, model, largestBatch);
        CheckText(trajectory, model);
        CheckRow("The state", trajectory.InitialState, model.Shape);
        if (trajectory.ForwardNoise is { } noise)
            CheckRow("The forward noise", noise, model.Shape);
        if (model.ClassCount is null && trajectory.ClassLabel is not null)
            throw new ArgumentException($"The model is unconditional, but class {trajectory.ClassLabel} was given.");
        if (model.ClassCount is { } count
            && (trajectory.ClassLabel is not { } label || ((label < 0 || label >= count) && label != model.NullClass)))
        {
            throw new ArgumentException(
                $"The model is class-conditional and needs a class from 0 to {count - 1}; given: "
                + $"{trajectory.ClassLabel?.ToString() ?? "none"}.");
        }
    }

    static void CheckGuidance(Trajectory trajectory, DenoiserFacts model, int largestBatch)
    {
        if (trajectory.NetworkRows == 1)
            return;
        if (model.NullClass is null && model.Text is null)
            throw new ArgumentException(
                $"The model has no unconditional prediction to guide away from, but a guidance scale of {trajectory.Guidance} was given.");
        if (!double.IsFinite(trajectory.Guidance))
            throw new ArgumentException($"The guidance scale is {trajectory.Guidance}; it must be a finite number.");
        if (trajectory.NetworkRows > largestBatch)
            throw new ArgumentException(
                $"A guided step needs {trajectory.NetworkRows} rows of the network, and a forward pass here has at most {largestBatch}.");
    }

    static void CheckText(Trajectory trajectory, DenoiserFacts model)
    {
        if (model.Text is not { } shape)
        {
            if (trajectory.Text is not null)
                throw new ArgumentException("The model takes no text, but a prompt was given.");
            return;
        }
        Check("prompt", trajectory.Text);
        if (trajectory.NetworkRows > 1)
            Check("negative prompt", trajectory.NullText);

        void Check(string what, TextEmbedding? text)
        {
            if (text is null)
                throw new ArgumentException($"The model is text-conditional and needs a {what}; none was given.");
            if (text.Shape != shape)
                throw new ArgumentException($"The {what} has an embedding of {text.Shape}; the model takes {shape}.");
        }
    }

    public static void CheckRow(string what, ReadOnlyMemory<byte> row, StateShape shape)
    {
        if (row.Length != shape.Elements * sizeof(float))
            throw new ArgumentException($"{what} has {row.Length} bytes; a float32 row of {shape} has {shape.Elements * sizeof(float)}.");
    }
}
