using System.Runtime.InteropServices;
using System.Text.Json;
using Taba.Diffusion;
using Taba.Diffusion.Engine;
using Taba.Diffusion.Models;
using Taba.Diffusion.Models.Families;
using Taba.Diffusion.Native;
using Taba.Diffusion.Sampling;
using Taba.Diffusion.Schedules;
using Taba.Testing;
using static TorchSharp.torch;

namespace Taba.Parity.Tests;

/// <summary>The engine, which batches rows of any step, gives bit for bit what the loop of <see cref="DdimSampler"/> gives.</summary>
public sealed class EngineSamplerTests
{
    const int DeterministicBatch = 4;
    const int T = 4;
    const int K = 2;

    /// <summary>Every small model of the fixtures, plain and guided where it can be, under every intervention.</summary>
    public static TheoryData<string, string, double, ScalarType> Cases()
    {
        var data = new TheoryData<string, string, double, ScalarType>();
        foreach (var name in Fixtures.Cases("models", "case.json"))
        {
            using var folder = new TempFolder();
            var definition = Definition(name, folder);
            foreach (var what in new[] { "sample", "invert", "swap eps", "swap xt", "forward" })
            {
                data.Add(name, what, 1, ScalarType.Float32);
                if (definition.AllowsHalfState)
                    data.Add(name, what, 1, ScalarType.Float16);
            }
            if (definition.CanBeGuided)
            {
                data.Add(name, "sample", 3.5, ScalarType.Float32);
                data.Add(name, "swap eps", 3.5, ScalarType.Float32);
            }
        }
        return data;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Engine_Deterministic_BitsOfTheSampler(string name, string what, double guidance, ScalarType state)
    {
        TorchRuntime.Initialize();
        using var folder = new TempFolder();
        var definition = Definition(name, folder);
        using var model = definition.Load(null, CPU, ScalarType.Float32);
        // A guided row takes two of the network's rows, and both sides must give it batches of one shape.
        var rows = Guidance.IsOn(guidance) ? DeterministicBatch / 2 : DeterministicBatch;
        var direction = what == "sample" ? Direction.Sampling : Direction.Inversion;
        var schedule = definition.CreateSchedule(T);
        var inputs = new Inputs(definition, model, rows, what, guidance, state);

        var steps = new Dictionary<(int Step, TensorKinds Kind), float[]>();
        var expected = inputs.Sample(model, schedule, direction, steps);
        var observers = Enumerable.Range(0, rows).Select(_ => new Observer()).ToArray();
        await using (var engine = new DenoisingEngine(
            model, new EngineOptions { Deterministic = true, DeterministicBatch = DeterministicBatch, StatePrecision = state }))
        {
            for (var row = 0; row < rows; row++)
            {
                var request = inputs.Request(row, schedule, direction, observers[row]);
                engine.RunSegment(engine.Open(request), schedule.NumInferenceSteps - request.FirstStep);
            }
            await Task.WhenAll(observers.Select(o => o.Completed));
        }

        for (var row = 0; row < rows; row++)
        {
            Assert.Equal(Row(expected, row), await observers[row].Completed);
            foreach (var ((step, kind), values) in steps)
                Assert.Equal(Row(values, row), observers[row].Captured[(step, kind)]);
        }
        Assert.Equal(3 * (T - (what is "swap xt" or "forward" ? K : 0)), steps.Count);

        float[] Row(float[] batch, int row) => batch[(row * inputs.RowLength)..((row + 1) * inputs.RowLength)];
    }

    static ModelDefinition Definition(string name, TempFolder folder)
    {
        if (File.Exists(Fixtures.At($"{name}/model_index.json")))
            return DiffusersModel.Read(Fixtures.At(name), null);
        using var described = JsonDocument.Parse(File.ReadAllBytes(Fixtures.At($"{name}/case.json")));
        var fields = described.RootElement.GetProperty("args").EnumerateObject().ToDictionary(
            argument => argument.Name, argument => (object)argument.Value);
        fields["family"] = "adm";
        fields["weights"] = Fixtures.At($"{name}/{described.RootElement.GetProperty("weights")[0].GetString()}");
        return ModelFile.Read(folder.Write("model.json", JsonSerializer.SerializeToUtf8Bytes(fields)));
    }

    /// <summary>One batch with its conditions, for the loop as tensors and for the engine as rows.</summary>
    sealed class Inputs
    {
        readonly StateShape _shape;
        readonly string _what;
        readonly double _guidance;
        readonly ScalarType _state;
        readonly float[] _x;
        readonly float[] _noise;
        readonly float[][] _swaps;
        readonly long[]? _labels;
        readonly long _nullLabel;
        readonly TextEmbedding[]? _texts;
        readonly TextEmbedding? _noText;
        readonly int _rows;

        public Inputs(ModelDefinition definition, IDenoiser model, int rows, string what, double guidance, ScalarType state)
        {
            (_shape, _rows, _what, _guidance, _state) = (model.Shape, rows, what, guidance, state);
            using var scope = NewDisposeScope();
            using var generator = new Generator(7);
            (_x, _noise) = (Draw(), Draw());
            _swaps = [.. Enumerable.Range(0, K).Select(_ => Draw())];
            if (model.ClassCount is { } classes)
                (_labels, _nullLabel) = ([.. Enumerable.Range(0, rows).Select(row => (long)(row % classes))], model.NullClass ?? 0);
            if (definition.TextShape is { } text)
            {
                using var inference = inference_mode();
                using var encoder = definition.LoadTextEncoder(CPU, ScalarType.Float32);
                _texts = [.. Enumerable.Range(0, rows).Select(row => Embedded($"prompt {row % 3}"))];
                _noText = Embedded("");

                TextEmbedding Embedded(string prompt) => new(prompt, encoder.Encode(prompt), ScalarType.Float32, text);
            }

            float[] Draw() => randn(_shape.Batch(rows), generator: generator).data<float>().ToArray();
        }

        public int RowLength => (int)_shape.Elements;

        public float[] Sample(
            IDenoiser model, IDiffusionSchedule schedule, Direction direction, Dictionary<(int Step, TensorKinds Kind), float[]> steps)
        {
            using var inference = inference_mode();
            using var scope = NewDisposeScope();
            var run = new DdimRun
            {
                X = Batch(_x), Conditions = Conditions(_labels, _texts, model), GuidanceScale = _guidance, State = _state,
                NullConditions = Conditions(
                    _labels is null ? null : Repeated(_nullLabel), _noText is null ? null : Repeated(_noText), model),
                Swap = _what == "swap xt" ? SwapKind.Xt : SwapKind.Eps,
                SwapBefore = _what.StartsWith("swap", StringComparison.Ordinal) ? K : 0,
                SwapRows = k => Batch(_swaps[k]),
                ForwardBefore = _what == "forward" ? K : 0,
                ForwardNoise = Batch(_noise),
            };
            var last = DdimSampler.Run(model, schedule, direction, run, (step, result) =>
            {
                steps[(step, TensorKinds.State)] = Values(result.XNext);
                steps[(step, TensorKinds.Eps)] = Values(result.EpsUsed);
                steps[(step, TensorKinds.PredXstart)] = Values(result.PredXstart);
            });
            return Values(last);

            T[] Repeated<T>(T one) => [.. Enumerable.Repeat(one, _rows)];
        }

        public TrajectoryRequest Request(int row, IDiffusionSchedule schedule, Direction direction, Observer observer) => new()
        {
            Schedule = schedule, Direction = direction, Observer = observer, FirstStep = _what == "forward" ? K : 0, State = Bytes(_x, row),
            ForwardNoise = _what == "forward" ? Bytes(_noise, row) : (ReadOnlyMemory<byte>?)null,
            ForwardAlphaBar = _what == "forward" ? schedule.ForwardAlphaBar(K) : 0,
            ClassLabel = _labels?[row], Text = _texts?[row], NullText = _noText, Guidance = _guidance,
            Swap = _what switch { "swap xt" => SwapKind.Xt, "swap eps" => SwapKind.Eps, _ => (SwapKind?)null },
            SwapBefore = K, SwapRow = k => Bytes(_swaps[k], row),
            Captures = _ => TensorKinds.State | TensorKinds.Eps | TensorKinds.PredXstart,
        };

        static Tensor? Conditions(long[]? labels, TextEmbedding[]? texts, IDenoiser model) =>
            labels is not null ? tensor(labels)
            : texts is null ? null
            : stack(
                [.. texts.Select(
                    text => tensor(MemoryMarshal.Cast<byte, float>(text.Values.Span).ToArray(), [text.Shape.Length, text.Shape.Width]))])
                .to(model.TextType);

        Tensor Batch(float[] values) => tensor(values, _shape.Batch(_rows));

        ReadOnlyMemory<byte> Bytes(float[] values, int row) => MemoryMarshal.AsBytes(values.AsSpan(row * RowLength, RowLength)).ToArray();

        static float[] Values(Tensor tensor) => tensor.contiguous().data<float>().ToArray();
    }

    sealed class Observer : ITrajectoryObserver
    {
        readonly TaskCompletionSource<float[]> _completed = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Dictionary<(int Step, TensorKinds Kind), float[]> Captured { get; } = [];

        public Task<float[]> Completed => _completed.Task;

        public void OnCaptured(int step, TensorKinds kind, ReadOnlySpan<byte> row) =>
            Captured[(step, kind)] = MemoryMarshal.Cast<byte, float>(row).ToArray();

        public void OnSegment(in SegmentOutcome outcome, ReadOnlySpan<byte> state) =>
            _completed.SetResult(MemoryMarshal.Cast<byte, float>(state).ToArray());

        public void OnFailed(int step, Exception error) => _completed.SetException(error);
    }
}
