using Taba.Diffusion.Models;
using Taba.Diffusion.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Taba.Diffusion.Tests.Engine;

/// <summary>Two 3x3 convolutions and a term of the timestep and the class: rows are independent, and every step matters.</summary>
sealed class ToyDenoiser : IDenoiser
{
    static readonly Scalar s_weight = 0.2.ToScalar();
    static readonly Scalar s_ofTime = 0.003f.ToScalar();
    static readonly Scalar s_ofClass = 0.1f.ToScalar();
    readonly Tensor _first;
    readonly Tensor _second;
    int _calls;

    public ToyDenoiser(StateShape shape, int? classCount = null)
    {
        Shape = shape;
        ClassCount = classCount;
        using var generator = new Generator(7);
        _first = randn([8, shape.Channels, 3, 3], generator: generator).mul_(s_weight).DetachFromDisposeScope();
        _second = randn([shape.Channels, 8, 3, 3], generator: generator).mul_(s_weight).DetachFromDisposeScope();
    }

    public StateShape Shape { get; }
    public Device Device => CPU;
    public int? ClassCount { get; }

    /// <summary>Runs before each forward pass, on the engine's thread, with its rows.</summary>
    public Action<int>? Before { get; set; }

    /// <summary>Sees states and timesteps before each forward pass, and may throw.</summary>
    public Action<Tensor, Tensor>? Look { get; set; }

    /// <summary>May replace the prediction.</summary>
    public Func<Tensor, Tensor, Tensor>? After { get; set; }

    public int Calls => Volatile.Read(ref _calls);
    public List<int> Shapes { get; } = [];
    public bool Disposed { get; private set; }
    public int DisposedOnThread { get; private set; }

    public Tensor PredictEps(Tensor xt, Tensor timesteps, Tensor? conditions)
    {
        Assert.True(is_inference_mode_enabled());
        Assert.Equal(ClassCount is null, conditions is null);
        var rows = (int)xt.size(0);
        Before?.Invoke(rows);
        Look?.Invoke(xt, timesteps);
        Shapes.Add(rows);
        Interlocked.Increment(ref _calls);
        var hidden = nn.functional.conv2d(xt, _first, padding: [1, 1]).tanh();
        var eps = nn.functional.conv2d(hidden, _second, padding: [1, 1]).add(timesteps.view(-1, 1, 1, 1).mul(s_ofTime), Scalars.One);
        if (conditions is not null)
            eps = eps.add(conditions.to(ScalarType.Float32).view(-1, 1, 1, 1).mul(s_ofClass), Scalars.One);
        return After?.Invoke(xt, eps) ?? eps;
    }

    public void Dispose()
    {
        _first.Dispose();
        _second.Dispose();
        Disposed = true;
        DisposedOnThread = Environment.CurrentManagedThreadId;
    }
}
