using System.CommandLine;
using Taba.Bench;
using Taba.Diffusion.Native;
using static TorchSharp.torch;

TorchProcess.Configure();
var model = new Option<string>("--model") { Description = "A model's name or model.json.", DefaultValueFactory = _ => "demo" };
var random = new Option<bool>(
    "--random-weights")
{ Description = "Draw the weights instead of reading them: speed does not depend on them." };
var device = new Option<string>("--device") { Description = "cpu, cuda or cuda:N.", DefaultValueFactory = _ => "cpu" };
var batch = new Option<int>("--batch-size") { DefaultValueFactory = _ => 16 };
var rounds = new Option<int>("--rounds") { Description = "Interleaved rounds.", DefaultValueFactory = _ => 5 };
var seconds = new Option<double>("--seconds") { Description = "Least seconds of a round.", DefaultValueFactory = _ => 60 };
var steps = new Option<int>("--steps") { Description = "T.", DefaultValueFactory = _ => 10 };
var samples = new Option<int[]>(
    "--samples")
{ Description = "Sweep sizes to compare.", DefaultValueFactory = _ => [64, 4096], AllowMultipleArgumentsPerToken = true };

var withInternal = new Option<bool>("--internal") { Description = "Beside it the same sweep that keeps every step of every sample." };

var throughput = new Command("throughput", "A whole sweep against a bare loop over the same network, interleaved.") { model, random,
    device, batch, rounds, seconds, steps, withInternal };
throughput.SetAction((parsed, cancellationToken) => new ThroughputBench(
    BenchModel.Prepare(parsed.GetValue(model)!, parsed.GetValue(random), parsed.GetValue(device)!),
    parsed.GetValue(batch), parsed.GetValue(rounds), parsed.GetValue(seconds), parsed.GetValue(steps),
    parsed.GetValue(withInternal)).RunAsync(cancellationToken));

var memory = new Command(
    "memory", "Peak anonymous memory of whole runs of different sizes (sample and invert, metrics on).") { model, samples, steps };
memory.SetAction((parsed, cancellationToken) => new MemoryBench(
    parsed.GetValue(model)!, parsed.GetValue(samples)!, parsed.GetValue(steps)).RunAsync(cancellationToken));

var network = new Command(
    "network", "Loading and evaluating a network of published size: anonymous memory beside the weights' own size, and time.")
{
    new Option<string>(
        "--model") { Description = "adm-32, adm-64, adm-256, or the config.json of a UNet, transformer or text encoder.", Required = true },
    new Option<ScalarType>("--dtype") { Description = "The type to compute in.", DefaultValueFactory = _ => ScalarType.Float32 },
    new Option<ScalarType>(
        "--file-dtype") { Description = "The type of the drawn weights on disk.", DefaultValueFactory = _ => ScalarType.Float16 },
    new Option<int>("--forwards") { Description = "Evaluations of one sample; the best is shown.", DefaultValueFactory = _ => 2 },
    new Option<string?>("--weights") { Description = "A folder of drawn weights (for the process that measures).", Hidden = true },
};
network.SetAction(async (parsed, cancellationToken) =>
{
    var (name, dtype, forwards) = (parsed.GetRequiredValue<string>("--model"), parsed.GetRequiredValue<ScalarType>("--dtype"),
        parsed.GetRequiredValue<int>("--forwards"));
    return parsed.GetValue<string?>("--weights") is { } weights
        ? NetworkBench.Measure(name, weights, dtype, forwards)
        : await new NetworkBench(name, parsed.GetRequiredValue<ScalarType>("--file-dtype"), dtype, forwards).RunAsync(cancellationToken);
});

var networks = NetworksCommand.Create();

var sweep = new Option<string>("--sweep") { Description = "A sweep file.", DefaultValueFactory = _ => "configs/demo.yaml" };
var against = new Option<string[]>("--against")
{
    Description = "Overrides of the other side.", DefaultValueFactory = _ => ["network=plain"], AllowMultipleArgumentsPerToken = true,
};
var runs = new Command("runs", "Whole runs of a sweep as it is and with overrides, alternately: wall time.") { sweep, against, rounds };
runs.SetAction((parsed, cancellationToken) => new RunsBench(
    parsed.GetValue(sweep)!, parsed.GetValue(against)!, parsed.GetValue(rounds)).RunAsync(cancellationToken));

var mixedSamples = new Option<int>("--samples") { Description = "Of each model.", DefaultValueFactory = _ => 32 };
var mixedSteps = new Option<int>("--steps") { Description = "T, more than ten.", DefaultValueFactory = _ => 20 };
var mixed = new Command("mixed", "A sweep of K = 1 .. 10 over three models: busy share, loads, evaluations against the plan.")
{
    device, mixedSamples, mixedSteps,
};
mixed.SetAction((parsed, cancellationToken) => new MixedBench(
    parsed.GetValue(device)!, parsed.GetValue(mixedSamples), parsed.GetValue(mixedSteps)).RunAsync(cancellationToken));

var driftModels = new Option<string[]>("--model") { DefaultValueFactory = _ => ["demo"], AllowMultipleArgumentsPerToken = true };
var driftSamples = new Option<int>("--samples") { DefaultValueFactory = _ => 8 };
var driftSteps = new Option<int>("--steps") { Description = "T.", DefaultValueFactory = _ => 100 };
var drift = new Command("drift", "How far whole trajectories in bfloat16, and in the plain form, are from those in float32.")
{
    driftModels, random, driftSamples, driftSteps,
};
drift.SetAction(parsed => new DriftBench(
    parsed.GetValue(driftModels)!, parsed.GetValue(random), parsed.GetValue(driftSamples), parsed.GetValue(driftSteps)).Run());

var rows = new Option<int>("--rows") { DefaultValueFactory = _ => 10_240 };
var side = new Option<int>("--side") { Description = "Pixels of a sample along each side.", DefaultValueFactory = _ => 64 };
var plain = new Option<string?>(
    "--plain")
{ Description = "A folder to be measured plainly (for the process that measures).", Hidden = true };
var measure = new Command(
    "measure", "taba measure over a large run beside a plain computation of the same: peak of the process, and time.")
{
    rows, side, plain,
};
measure.SetAction((parsed, cancellationToken) => parsed.GetValue(plain) is { } folder
    ? Task.FromResult(MeasureBench.Plain(folder))
    : new MeasureBench(parsed.GetValue(rows), parsed.GetValue(side)).RunAsync(cancellationToken));

var dimensions = new Option<int>("--dimensions") { DefaultValueFactory = _ => 2048 };
var fid = new Command("fid", "The Fréchet distance of features drawn from two Gaussians beside its closed form.") { rows, dimensions };
fid.SetAction(parsed => new FidBench(parsed.GetValue(rows), parsed.GetValue(dimensions)).Run());

var root = new RootCommand("Side-by-side measurements of Taba. Tables go to docs/benchmarks.md.")
{
    throughput, memory, network, networks, runs, mixed, drift, measure, fid,
};
return await root.Parse(args).InvokeAsync();
