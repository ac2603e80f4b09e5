using Microsoft.ML.OnnxRuntime;
using static TorchSharp.torch;

namespace Taba.Bench;

/// <summary>
/// A network from an ONNX file, computed by ONNX Runtime on all processors. It takes <c>x</c> [B,C,H,W] and <c>t</c> [B], both float32.
/// </summary>
/// <remarks>Its threads do not spin while they wait, or they would take the processors from libtorch's passes of the same round.</remarks>
sealed class OnnxNetwork : IDisposable
{
    const string States = "x", Timesteps = "t";

    readonly SessionOptions _options = new()
    {
        IntraOpNumThreads = Environment.ProcessorCount, GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL,
    };

    readonly RunOptions _run = new();
    readonly InferenceSession _session;
    readonly string _file;
    readonly List<OrtValue> _values = [];

    /// <exception cref="BadInputException">The file holds no such network.</exception>
    public OnnxNetwork(string file)
    {
        _file = file;
        _options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
        try
        {
            _session = new(file, _options);
        }
        catch (OnnxRuntimeException e)
        {
            throw new BadInputException($"{file} is no network that ONNX Runtime reads: {e.Message}", e);
        }
        if (!_session.InputNames.Order().SequenceEqual([Timesteps, States]))
        {
            var names = string.Join(", ", _session.InputNames);
            throw new BadInputException($"{file} takes {names}, and the bench gives {States} (states) and {Timesteps} (timesteps).");
        }
    }

    /// <summary>The version of the library.</summary>
    public static string Version => OrtEnv.Instance().GetVersionString();

    /// <summary>Copies inputs for the passes that follow.</summary>
    /// <param name="x">[B,C,H,W], float32.</param>
    /// <param name="timesteps">[B], float32.</param>
    /// <returns>One pass.</returns>
    /// <exception cref="BadInputException">The file's network takes states of another size.</exception>
    public Action Bind(Tensor x, Tensor timesteps)
    {
        var wanted = _session.InputMetadata[States].Dimensions;
        if (wanted.Length != x.dim() || wanted.Zip(x.shape).Any(pair => pair.First >= 0 && pair.First != pair.Second))
        {
            throw new BadInputException(
                $"{_file} takes states [{string.Join(',', wanted)}], and the network [{string.Join(',', x.shape)}].");
        }
        Free();
        _values.Add(OrtValue.CreateTensorValueFromMemory(x.data<float>().ToArray(), x.shape));
        _values.Add(OrtValue.CreateTensorValueFromMemory(timesteps.data<float>().ToArray(), timesteps.shape));
        var inputs = new Dictionary<string, OrtValue> { [States] = _values[0], [Timesteps] = _values[1] };
        return () => _session.Run(_run, inputs, _session.OutputNames).Dispose();
    }

    public void Dispose()
    {
        Free();
        _session.Dispose();
        _run.Dispose();
        _options.Dispose();
    }

    void Free()
    {
        _values.ForEach(value => value.Dispose());
        _values.Clear();
    }
}
