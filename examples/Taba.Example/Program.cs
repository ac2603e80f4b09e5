// The library without the actor system: sample, invert, reconstruct, and both interventions of "There and Back Again", on the shipped
// demo model. From the repository's root:
//
//   dotnet run -c Release --project examples/Taba.Example
using Taba;
using Taba.Diffusion.Models.Families;
using Taba.Diffusion.Native;
using Taba.Diffusion.Sampling;
using Taba.Diffusion.Schedules;
using static TorchSharp.torch;

const int Samples = 8;
const int T = 10;
const int K = 3;

TorchProcess.Configure();
using var inference = inference_mode();
using var scope = NewDisposeScope();

// A model is a description with weights beside it; a schedule is its noise levels at T inference steps.
var definition = ModelFile.Read("src/Taba.Silo/ShippedModels/demo/model.json");
using var model = definition.Load(given: null, CPU, ScalarType.Float32);
var schedule = definition.CreateSchedule(T);
using var generator = new Generator(420);

// There: x_T to x_0, keeping the predictions. Step k of sampling is step T-1-k of inversion.
var xT = randn(model.Shape.Batch(Samples), generator: generator);
var predictions = new Tensor[T];
var images = DdimSampler.Run(
    model, schedule, Direction.Sampling, new DdimRun { X = xT },
    stepped: (k, result) => predictions[T - 1 - k] = result.EpsUsed.clone().DetachFromDisposeScope());

// And back again: plainly, with the first K predictions swapped for the true ones, and with the first K steps replaced by noise.
Report("plain inversion", new DdimRun { X = images });
Report($"swap eps, K = {K}", new DdimRun { X = images, Swap = SwapKind.Eps, SwapBefore = K, SwapRows = k => predictions[k] });
Report($"forward, K = {K}", new DdimRun { X = images, ForwardBefore = K, ForwardNoise = randn(images.shape, generator: generator) });
foreach (var prediction in predictions)
    prediction.Dispose();

void Report(string what, DdimRun inversion)
{
    using var inner = NewDisposeScope();
    var latents = DdimSampler.Run(model, schedule, Direction.Inversion, inversion);
    var again = DdimSampler.Run(model, schedule, Direction.Sampling, new DdimRun { X = latents });
    Console.WriteLine(
        $"{what,-20} latents differ from the noise by {MeanAbsolute(latents, xT):F4}, reconstructions from the images by "
        + $"{MeanAbsolute(again, images):F4}");
}

static float MeanAbsolute(Tensor a, Tensor b) => a.sub(b).abs().mean().item<float>();
