using System.Runtime.InteropServices;
using Taba.Diffusion.Engine;
using Taba.Diffusion.Schedules;

namespace Taba.Diffusion.Tests.Engine;

/// <summary>Made-up rows, requests and the ways to run them.</summary>
static class Rows
{
    public static readonly StateShape Shape = new(3, 8, 8);

    /// <summary>A row that depends on <paramref name="seed"/> alone, values about -1.5 .. 1.5.</summary>
    public static byte[] Make(int seed, StateShape? shape = null)
    {
        var values = new float[(shape ?? Shape).Elements];
        for (var i = 0; i < values.Length; i++)
            values[i] = 1.5f * MathF.Sin((seed * 12.9898f) + (i * 0.618f * (1 + (seed % 5))));
        return MemoryMarshal.AsBytes<float>(values).ToArray();
    }

    public static ReadOnlySpan<float> Floats(byte[] row) => MemoryMarshal.Cast<byte, float>(row);

    public static TrajectoryRequest Request(int seed, IDiffusionSchedule schedule, ITrajectoryObserver observer, Direction? direction =
        null, Func<int, TensorKinds>? captures = null) => new()
        {
            Schedule = schedule,
            Direction = direction ?? (seed % 2 == 0 ? Direction.Sampling : Direction.Inversion),
            FirstStep = 0,
            State = Make(seed),
            Observer = observer,
            Captures = captures,
            Tag = seed,
        };

    /// <summary>Opens and runs to the end.</summary>
    public static SlotHandle Start(this DenoisingEngine engine, TrajectoryRequest request)
    {
        var handle = engine.Open(request);
        engine.RunSegment(handle, request.Schedule.NumInferenceSteps - request.FirstStep);
        return handle;
    }

    public static void EqualWithin(byte[] expected, byte[] actual, float tolerance)
    {
        var left = Floats(expected);
        var right = Floats(actual);
        Assert.Equal(left.Length, right.Length);
        for (var i = 0; i < left.Length; i++)
            Assert.True(MathF.Abs(left[i] - right[i]) <= tolerance, $"element {i}: {left[i]} and {right[i]}");
    }
}
