using System.CommandLine;
using Taba.Bench;

var model = new Option<string>("--model") { Description = "A model's name or model.json.", DefaultValueFactory = _ => "demo" };
var random = new Option<bool>("--random-weights") { Description = "Draw the weights instead of reading them: speed does not depend on them." };
var device = new Option<string>("--device") { Description = "cpu, cuda or cuda:N.", DefaultValueFactory = _ => "cpu" };
var batch = new Option<int>("--batch-size") { DefaultValueFactory = _ => 16 };
var rounds = new Option<int>("--rounds") { Description = "Interleaved rounds.", DefaultValueFactory = _ => 5 };
var seconds = new Option<double>("--seconds") { Description = "Least seconds of a round.", DefaultValueFactory = _ => 60 };
var steps = new Option<int>("--steps") { Description = "T.", DefaultValueFactory = _ => 10 };
var samples = new Option<int[]>("--samples") { Description = "Sweep sizes to compare.", DefaultValueFactory = _ => [64, 4096], AllowMultipleArgumentsPerToken = true };

var throughput = new Command("throughput", "A whole sweep against a bare loop over the same network, interleaved.") { model, random, device, batch, rounds, seconds, steps };
throughput.SetAction((parsed, cancellationToken) => new ThroughputBench(
    BenchModel.Prepare(parsed.GetValue(model)!, parsed.GetValue(random), parsed.GetValue(device)!),
    parsed.GetValue(batch), parsed.GetValue(rounds), parsed.GetValue(seconds), parsed.GetValue(steps)).RunAsync(cancellationToken));

var memory = new Command("memory", "Peak anonymous memory of whole runs of different sizes (sample and invert, metrics on).") { model, samples, steps };
memory.SetAction((parsed, cancellationToken) => new MemoryBench(parsed.GetValue(model)!, parsed.GetValue(samples)!, parsed.GetValue(steps)).RunAsync(cancellationToken));

var root = new RootCommand("Side-by-side measurements of Taba. Tables go to docs/benchmarks.md.") { throughput, memory };
return await root.Parse(args).InvokeAsync();
