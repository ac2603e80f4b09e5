using Taba.Diffusion.Metrics.Analyses;
using Taba.Diffusion.Metrics.Experiments;
using Taba.Diffusion.Metrics.Features;
using Taba.Diffusion.Models.Features;
using static TorchSharp.torch;

namespace Taba.Diffusion.Metrics.Pictures;

/// <summary>How alike features of images and of their reconstructions are.</summary>
sealed class CosineAnalysis : RunAnalysis
{
    readonly IRunTensors _run;
    readonly PictureSettings _settings;
    readonly FeatureNetwork _network;
    readonly Func<FeatureCosines, MeanStd> _number;
    readonly Sums<FeatureCosines> _cosines;

    public CosineAnalysis(IRunTensors run, PictureSettings settings, FeatureNetwork network, Func<FeatureCosines, MeanStd> number)
    {
        (_run, _settings, _network, _number) = (run, settings, network, number);
        _cosines = Keep(new FeatureCosines());
        run.RowsOf(PictureAnalyses.Pair);
    }

    public override void Measure(long first, long count, CancellationToken cancellationToken)
    {
        var pass = _settings.Pass;
        var embedder = _settings.Weights.Embedder(_network, pass.Device);
        var (images, reconstructions) = (Pictures(TensorRole.Images), Pictures(TensorRole.ReconstructedImages));
        for (var at = first; at < first + count; at += pass.BatchSize)
        {
            var some = Math.Min(pass.BatchSize, first + count - at);
            var before = embedder.Of(pass, images, at, some, cancellationToken);
            var after = embedder.Of(pass, reconstructions, at, some, cancellationToken);
            _cosines.Value.Add(before, after, before.Length / (int)some);
        }
    }

    public override ExperimentNumbers Compute() => new(Analyses.Json.Of(_number(_cosines.Value)), []);

    TensorPictures Pictures(TensorRole role)
    {
        var rows = _run.Tensor(role)!;
        return new(rows.Identity, rows, rows.Shape, rounded: true);
    }
}

/// <summary>How alike pictures and the texts that they were made from are.</summary>
sealed class ClipScoreAnalysis : RunAnalysis
{
    readonly IRunTensors _run;
    readonly PictureSettings _settings;
    readonly Sums<FeatureCosines> _cosines;

    public ClipScoreAnalysis(IRunTensors run, PictureSettings settings) =>
        (_run, _settings, _cosines) = (run, settings, Keep(new FeatureCosines()));

    public override void Measure(long first, long count, CancellationToken cancellationToken)
    {
        var pass = _settings.Pass;
        var prompts = (_settings.Prompts ?? _run.Prompts)!;
        var tokenizer = _settings.Weights.LoadTokenizer();
        var embedder = _settings.Weights.Embedder(FeatureNetwork.Clip, pass.Device);
        var clip = (ClipFeatures)embedder.Network;
        var rows = _run.Tensor(TensorRole.Images)!;
        var images = new TensorPictures(rows.Identity, rows, rows.Shape, rounded: true);
        for (var at = first; at < first + count; at += pass.BatchSize)
        {
            var some = (int)Math.Min(pass.BatchSize, first + count - at);
            var ofImages = embedder.Of(pass, images, at, some, cancellationToken);
            var texts = Enumerable.Range((int)at, some).Select(row => tokenizer.Encode(prompts[row], clip.Sizes.Length));
            _cosines.Value.Add(ofImages, OfTexts(clip, [.. texts.SelectMany(ids => ids)], some, pass.Device), clip.Sizes.Width);
        }
    }

    public override ExperimentNumbers Compute() => new(Analyses.Json.Of(_cosines.Value.ClipScore), []);

    static float[] OfTexts(ClipFeatures clip, long[] ids, int count, Device device)
    {
        using var scope = NewDisposeScope();
        return clip.OfTexts(tensor(ids, [count, ids.Length / count]).to(device)).to(CPU).contiguous().data<float>().ToArray();
    }
}

/// <summary>LPIPS of images and their reconstructions, at their own size.</summary>
sealed class LpipsAnalysis : RunAnalysis
{
    readonly IRunTensors _run;
    readonly PictureSettings _settings;
    readonly StateShape _shape;
    readonly Sums<MomentsAccumulator> _distances;

    public LpipsAnalysis(IRunTensors run, PictureSettings settings)
    {
        (_run, _settings, _shape) = (run, settings, run.ShapeOf(PictureAnalyses.Pair));
        _distances = Keep(new MomentsAccumulator());
    }

    public override void Measure(long first, long count, CancellationToken cancellationToken)
    {
        var lpips = _settings.Weights.Lpips(_settings.Pass.Device);
        for (var at = first; at < first + count; at += _settings.Pass.BatchSize)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var some = (int)Math.Min(_settings.Pass.BatchSize, first + count - at);
            using var scope = NewDisposeScope();
            var distances = lpips.Forward(
                Quantised(TensorRole.Images, at, some), Quantised(TensorRole.ReconstructedImages, at, some));
            _distances.Value.Add(distances.to(CPU).data<float>().ToArray());
        }
    }

    public override ExperimentNumbers Compute() => new(Analyses.Json.Of(_distances.Value.Value.Mean, _distances.Value.Value.Std), []);

    Tensor Quantised(TensorRole role, long first, int count)
    {
        var values = new float[count * _shape.Elements];
        _run.Tensor(role)!.Read(first, values);
        PictureInput.Quantised(values, values);
        var pictures = tensor(values, [count, _shape.Channels, _shape.Height, _shape.Width]).to(_settings.Pass.Device);
        return _shape.Channels == 1 ? pictures.expand(-1, 3, -1, -1) : pictures;
    }
}
