using System.Runtime.InteropServices;
using Taba.Diffusion;
using Taba.Diffusion.Metrics;
using Taba.Diffusion.Metrics.Analyses;
using Taba.Diffusion.Tensors;
using Taba.Silo.Conditions;
using Taba.Silo.Rows;
using Taba.Storage.Manifests;
using Taba.Storage.Objects;
using static TorchSharp.torch;

namespace Taba.Silo.Measuring;

/// <summary>The tensors of a run as they lie in the store, as drawn, or in the user's files, for the stage that measures it.</summary>
sealed class StoredRun : IRunTensors, IDisposable
{
    static readonly Dictionary<string, TensorRole> s_roles = new()
    {
        ["noise"] = TensorRole.Noise,
        ["samples"] = TensorRole.Samples,
        ["images"] = TensorRole.Images,
        ["latents"] = TensorRole.Latents,
        ["reconstructions"] = TensorRole.Reconstructions,
        ["reconstructed_images"] = TensorRole.ReconstructedImages,
    };

    readonly Dictionary<TensorRole, StoredRows> _tensors = [];

    /// <param name="model">Of the run.</param>
    /// <param name="measure">What is measured.</param>
    /// <param name="reach">Rows that will be read, of all that there are.</param>
    /// <param name="store">Where stages' rows are.</param>
    /// <param name="noise">Draws noise.</param>
    /// <param name="cancellationToken">Stops between tensors.</param>
    public static async Task<StoredRun> OpenAsync(
        ModelIdentity model, MeasureSetting measure, RowRange reach, TensorStore store, NoiseSources noise,
        CancellationToken cancellationToken)
    {
        var opened = new StoredRun();
        try
        {
            var known = new Dictionary<string, StoredRows>();
            foreach (var tensor in measure.Tensors)
            {
                if (!s_roles.TryGetValue(tensor.Role, out var role))
                    continue;
                if (!known.TryGetValue(tensor.Name, out var rows))
                    known[tensor.Name] = rows = new(tensor, measure.Rows, await SourceAsync(tensor));
                opened._tensors[role] = rows;
            }
            if (measure.Prompts is { } prompts)
            {
                var source = await PromptSources.OpenAsync(prompts);
                opened.Prompts = [.. Enumerable.Range(measure.Rows.Start, measure.Rows.Count).Select(row => source.Prompt(row))];
            }
            return opened;
        }
        catch
        {
            opened.Dispose();
            throw;
        }

        async Task<Source> SourceAsync(MeasuredTensor tensor)
        {
            switch (tensor.Rows)
            {
                case NoiseRows address:
                    return new((rows, values) => noise.Rows(address, NoiseStream.Initial, model, rows, values), null);
                case FileRows given:
                    var file = TensorFile.Open(given.Path);
                    return new((rows, values) => StateFile.ReadRows(file.Single(tensor.Name), rows, values), file);
                case ImageRows pictures:
                    var folder = PictureRows.Open(pictures);
                    return new((rows, values) => PictureRows.Read(folder, rows, values), null);
                case StageRows stage:
                    var reader = await StageReader.OpenAsync(store, stage.Key, reach, cancellationToken);
                    return new((rows, values) => ReadAsInFolder(reader, tensor.Dtype, rows, values), reader);
                default:
                    throw new InvalidOperationException($"{tensor.Name} cannot be measured from {tensor.Rows}.");
            }
        }
    }

    public IReadOnlyList<string>? Prompts { get; private set; }

    public IMetricRows? Tensor(TensorRole role) => _tensors.GetValueOrDefault(role);

    public string NameOf(TensorRole role) => _tensors.TryGetValue(role, out var rows) ? rows.Identity : role.ToString();

    public void Dispose()
    {
        foreach (var rows in _tensors.Values.Distinct())
            rows.Dispose();
    }

    /// <summary>What is measured are the numbers of the run's folder, which may have a narrower type than the store.</summary>
    static void ReadAsInFolder(StageReader reader, Dtype dtype, RowRange rows, Span<byte> values)
    {
        reader.ReadResult(rows, values);
        if (dtype == Dtype.Float32)
            return;
        var type = dtype.ToScalarType();
        var narrow = new byte[values.Length / 2];
        FloatRows.FromFloat32(values, type, narrow);
        FloatRows.ToFloat32(narrow, type, values);
    }

    delegate void ReadRows(RowRange rows, Span<byte> values);

    sealed record Source(ReadRows Read, IDisposable? Opened);

    sealed class StoredRows(MeasuredTensor tensor, RowRange all, Source source) : IMetricRows, IDisposable
    {
        public string Identity => tensor.Name;

        public StateShape Shape => tensor.Shape;

        public long Rows => all.Count;

        public int RowLength => checked((int)tensor.Shape.Elements);

        public void Read(long first, Span<float> destination)
        {
            var start = all.Start + checked((int)first);
            source.Read(new(start, start + destination.Length / RowLength), MemoryMarshal.AsBytes(destination));
        }

        public void Dispose() => source.Opened?.Dispose();
    }
}
