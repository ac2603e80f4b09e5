using System.CommandLine;
using Taba.Client.Measuring;
using Taba.Diffusion.Metrics.Pictures;
using Taba.Grains;
using Taba.Silo.Devices;
using static TorchSharp.torch;

namespace Taba.Client.Commands;

/// <summary>The flags of <c>taba measure</c> that say by which networks pictures are measured, and where.</summary>
sealed class PictureFlags
{
    const int MostBatch = 1 << 16;

    readonly Option<string?> _features = Flags.Of<string?>(
        "features",
        $"Weights of networks, NETWORK=PATH with commas between them: {MeasuredPictures.Networks}. dino, clip and dreamsim are folders.");
    readonly Option<string?> _reference = Flags.Of<string?>(
        "reference",
        "What samples are compared with as a set: a folder of PNG and JPEG files, a tensor's file, or .npz with mu and sigma for fid.");
    readonly Option<string?> _prompts = Flags.Of<string?>("prompts", "A file of prompts, one a sample. The default is the run's own.");
    readonly Option<string> _device = Flags.WithDefault("device", "auto", "Where networks run: auto, cpu, cuda or cuda:N.");
    readonly Option<int?> _batchSize = Flags.Of<int?>("batch_size", "Pictures that a network takes at a time.");

    public IEnumerable<Option> All => [_features, _reference, _prompts, _device, _batchSize];

    /// <exception cref="BadInputException">A value is none, or what it names is missing or damaged.</exception>
    public MeasuredPictures Open(ParseResult parsed)
    {
        if (parsed.GetValue(_batchSize) is < 1 or > MostBatch)
            throw new BadInputException($"--batch_size is {parsed.GetValue(_batchSize)}: it must be 1 to {MostBatch}.");
        var features = parsed.GetValue(_features);
        return MeasuredPictures.Open(features, parsed.GetValue(_reference), parsed.GetValue(_prompts), Pass(parsed, features is not null));
    }

    PicturePass Pass(ParseResult parsed, bool isUsed)
    {
        if (!isUsed)
            return new(CPU, 1);
        var name = parsed.GetValue(_device)!;
        var device = SiloDevices.Resolve(name) is [var only]
            ? only
            : throw new BadInputException($"--device is {name}: networks of features run on one device.");
        return new(device.Device, parsed.GetValue(_batchSize) ?? device.DefaultBatchSize);
    }
}
