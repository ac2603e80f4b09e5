using System.Globalization;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Taba.Diffusion.Engine;
using Taba.Diffusion.Models;
using Taba.Silo.Devices;

namespace Taba.Silo.Engines;

/// <summary>
/// Chooses how many rows a forward pass has, where nobody has named a number: those with which the network makes the most evaluations a
/// second, measured when it is first loaded and remembered (docs/design/engine.md).
/// </summary>
sealed partial class BatchSizes(SpeedMemory speeds, IOptions<EngineSettings> settings, ILogger<BatchSizes> logger)
{
    /// <summary>Chooses for a model on a device, given its network, on the engine's thread; null when there is nothing to choose.</summary>
    /// <param name="definition">The model.</param>
    /// <param name="key">Names the engine.</param>
    /// <param name="device">Where.</param>
    public Func<IDenoiser, int>? ChooserOf(ModelDefinition definition, string key, DeviceChoice device) =>
        settings.Value.BatchSize is null && definition.NeedsWeights ? network => Choose(definition.Name, key, device, network) : null;

    int Choose(string model, string key, DeviceChoice device, IDenoiser network)
    {
        var form = settings.Value.Network;
        if (speeds.FindBatch(key, form, device.SpeedName) is { } known)
        {
            LogRemembered(logger, model, device.Name, known);
            return known;
        }
        var range = device.BatchesOf(network.Shape.Elements * sizeof(float));
        try
        {
            var found = new BatchProbe(new NetworkSpeed(network).Pass, range).Run();
            var rate = found.Measured.FirstOrDefault(s => s.BatchSize == found.Rows)?.PerSecond
                ?? found.Evaluations / found.Elapsed.TotalSeconds;
            LogFound(logger, model, device.Name, found.Rows, rate, Words(found.Measured), found.Elapsed.TotalSeconds);
            speeds.AddBatch(key, form, device.SpeedName, found);
            return found.Rows;
        }
        catch (Exception exception)
        {
            // What is wrong with the network, its rows will tell.
            LogFailed(logger, model, device.Name, range.Default, exception.Message);
            return range.Default;
        }
    }

    static string Words(IReadOnlyList<BatchSpeed> measured) => measured.Count == 0
        ? "a pass takes too long to look for another size"
        : "measured " + string.Join(
            ", ", measured.Select(s => string.Create(CultureInfo.InvariantCulture, $"{s.BatchSize}: {s.PerSecond:0.0}")));

    [LoggerMessage(
        4108, LogLevel.Information,
        "Model {Model} on {Device}: {Rows} rows a pass, {Rate:F1} evaluations/s; {Measured}; in {Seconds:F2} s")]
    static partial void LogFound(ILogger logger, string model, string device, int rows, double rate, string measured, double seconds);

    [LoggerMessage(4109, LogLevel.Information, "Model {Model} on {Device}: {Rows} rows a pass, as was found before")]
    static partial void LogRemembered(ILogger logger, string model, string device, int rows);

    [LoggerMessage(4110, LogLevel.Warning, "Model {Model} on {Device}: {Rows} rows a pass, for the speed could not be measured: {Reason}")]
    static partial void LogFailed(ILogger logger, string model, string device, int rows, string reason);
}
