namespace Taba.Diffusion.Engine;

/// <summary>Refuses trajectories that cannot run, with the number that is wrong.</summary>
static class RequestChecks
{
    /// <summary>What needs no model.</summary>
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
        if (request.Swap == SwapKind.None)
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

    /// <summary>What depends on the model.</summary>
    public static void Check(Trajectory trajectory, ModelFacts model)
    {
        CheckRow("The state", trajectory.InitialState, model.Shape);
        if (trajectory.ForwardNoise is { } noise)
            CheckRow("The forward noise", noise, model.Shape);
        if (model.ClassCount is null && trajectory.ClassLabel is not null)
            throw new ArgumentException($"The model is unconditional, but class {trajectory.ClassLabel} was given.");
        if (model.ClassCount is { } count && (trajectory.ClassLabel is not { } label || label < 0 || label >= count))
        {
            throw new ArgumentException(
                $"The model is class-conditional and needs a class from 0 to {count - 1}; given: {trajectory.ClassLabel?.ToString() ?? "none"}.");
        }
    }

    public static void CheckRow(string what, ReadOnlyMemory<byte> row, StateShape shape)
    {
        if (row.Length != shape.Elements * sizeof(float))
            throw new ArgumentException($"{what} has {row.Length} bytes; a float32 row of {shape} has {shape.Elements * sizeof(float)}.");
    }
}
