using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Taba.Diffusion.Engine;
using Taba.Diffusion.Models;
using Taba.Diffusion.Weights;
using Taba.Grains;
using Taba.Grains.Sweeps;
using Taba.Grains.Words;
using Taba.Silo.Devices;
using Taba.Silo.Models;
using static TorchSharp.torch;

namespace Taba.Client.Commands;

/// <summary><c>taba bench</c></summary>
static class BenchCommand
{
    /// <summary>Without a list, batches are doubled until one gains so little over the best before it.</summary>
    const double Gain = 1.03;

    const int LargestBatch = 512;

    /// <summary>The last line tells the time of a sweep of sampling, inversion and reconstruction.</summary>
    const int ExampleSamples = 1000, ExampleSteps = 50, ExampleStages = 3;

    public static Command Create(CommandServices services)
    {
        var flags = new BenchFlags();
        var command = new Command(
            "bench",
            "Measures how fast this machine evaluates a model's network, by batch size. It writes nothing; stop other work meanwhile.");
        flags.AddTo(command);
        command.SetAction((parsed, interrupted) =>
        {
            var ask = flags.Read(parsed);
            var device = SiloDevices.Resolve(ask.Device) is [var only]
                ? only
                : throw new BadInputException($"--device is {ask.Device}: one device is measured at a time.");
            var definition = ModelCatalogue.Define(ask.Model);
            var dtype = ask.Dtype ?? (device.IsCuda ? definition.Upstream.Network : ScalarType.Float32);
            using var network = Load(definition, ask.Model, device, dtype, ask.Network);
            Run(services.Terminal, definition, device, dtype, network, ask, interrupted);
            return Task.FromResult(ExitStatus.Done);
        });
        return command.WithExamples(
            "taba bench", "taba bench adm-64 --batch_sizes 1,4,16,64", "taba bench model.json --device cuda --dtype bfloat16 --json");
    }

    static IDenoiser Load(ModelDefinition definition, ModelSelection selection, DeviceChoice device, ScalarType dtype, NetworkForm form)
    {
        try
        {
            return definition.Load(
                definition.NeedsWeights ? ModelCatalogue.FindWeights(selection, definition) : null, device.Device, dtype, form);
        }
        catch (Exception e) when (e is WeightsMismatchException or WeightsFormatException or InvalidDataException or IOException)
        {
            throw new BadInputException(e.Message, e);
        }
    }

    static void Run(
        Terminal terminal, ModelDefinition definition, DeviceChoice device, ScalarType dtype, IDenoiser network, BenchRequest ask,
        CancellationToken interrupted)
    {
        var speed = new NetworkSpeed(network);
        if (!ask.Json)
        {
            terminal.Output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{definition.Name} on {device.Name}{Threads(device)}, {dtype.ToString().ToLowerInvariant()}, state {definition.Shape}"));
            terminal.Output.WriteLine($"{"batch",6}  {"ms a pass",10}  {"ms an evaluation",17}  {"evaluations/s",14}");
        }
        BatchSpeed? best = null;
        foreach (var batch in ask.BatchSizes ?? Doubling())
        {
            if (speed.Measure(batch, TimeSpan.FromSeconds(ask.Seconds), interrupted) is not { } measured)
            {
                terminal.Error.WriteLine($"The device has too little memory for a batch of {batch}.");
                break;
            }
            Write(terminal, measured, ask.Json);
            if (ask.BatchSizes is null && best is not null && measured.PerSecond < Gain * best.PerSecond)
            {
                best = measured.PerSecond > best.PerSecond ? measured : best;
                break;
            }
            best = best is null || measured.PerSecond > best.PerSecond ? measured : best;
        }
        if (best is null)
            throw new BadInputException("No batch fits the device: free memory on it, or use another one.");
        Conclude(terminal, definition, device, dtype, best, ask.Json);
    }

    static IEnumerable<int> Doubling()
    {
        for (var batch = 1; batch <= LargestBatch; batch *= 2)
            yield return batch;
    }

    static string Threads(DeviceChoice device) => device.IsCuda ? "" : $" ({device.Threads ?? get_num_threads()} threads)";

    static void Write(Terminal terminal, BatchSpeed speed, bool json) => terminal.Output.WriteLine(json
        ? JsonSerializer.Serialize(new
        {
            @event = "batch", batch_size = speed.BatchSize, seconds_per_pass = speed.PassSeconds, evaluations_per_second = speed.PerSecond,
            passes = speed.Passes,
        })
        : string.Create(
            CultureInfo.InvariantCulture,
            $"{speed.BatchSize,6}  {1000 * speed.PassSeconds,10:0.0}  {1000 / speed.PerSecond,17:0.00}  {speed.PerSecond,14:0.0}"));

    static void Conclude(
        Terminal terminal, ModelDefinition definition, DeviceChoice device, ScalarType dtype, BatchSpeed best, bool json)
    {
        if (json)
        {
            terminal.Output.WriteLine(JsonSerializer.Serialize(new
            {
                @event = "best", model = definition.Name, device = device.Name, dtype = dtype.ToString().ToLowerInvariant(),
                state = new[] { definition.Shape.Channels, definition.Shape.Height, definition.Shape.Width },
                batch_size = best.BatchSize, evaluations_per_second = best.PerSecond,
            }));
            return;
        }
        const int Evaluations = ExampleSamples * ExampleSteps * ExampleStages;
        terminal.Output.WriteLine(
            $"Best: batch {best.BatchSize}, {Quantities.Rate(best.PerSecond)}. {Quantities.Count(ExampleSamples)} samples of T = "
            + $"{ExampleSteps}, inverted and reconstructed, are {Quantities.Count(Evaluations)} evaluations: "
            + $"{Quantities.Duration(TimeSpan.FromSeconds(Evaluations / best.PerSecond))}.");
    }
}
