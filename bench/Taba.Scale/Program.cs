using System.CommandLine;
using Taba.Diffusion.Native;
using Taba.Grains.Silos;
using Taba.Grains.Stages;
using Taba.Scale;

TorchProcess.Configure();
var silos = new Option<int>("--silos") { Description = "Silos with devices; one more coordinates.", DefaultValueFactory = _ => 8 };
var devices = new Option<int>("--devices") { Description = "Simulated devices of a silo.", DefaultValueFactory = _ => 8 };
var batch = new Option<int>("--batch") { Description = "Rows of a pass.", DefaultValueFactory = _ => 64 };
var pass = new Option<double>("--pass-ms") { Description = "Milliseconds of a pass.", DefaultValueFactory = _ => 50 };
var samples = new Option<int>("--samples") { Description = "Samples of the sweep.", DefaultValueFactory = _ => 1_000_000 };
var steps = new Option<int>("--steps") { Description = "T.", DefaultValueFactory = _ => 50 };
var segment = new Option<int>(
    "--segment-steps")
{ Description = "Steps between two reports of a trajectory.", DefaultValueFactory = _ => 50 };
var partRows = new Option<int>("--part-rows") { Description = "Rows of a part.", DefaultValueFactory = _ => PartGrid.MaxRows };
var warmUp = new Option<int>(
    "--warm-up")
{ Description = "Samples of a sweep before the measured one, while code is compiled.", DefaultValueFactory = _ => 0 };
var dependents = new Option<bool>("--dependents") { Description = "Invert the samples: as they are, with two swaps, with forward noise." };
var reconstruct = new Option<bool>("--reconstruct") { Description = "Reconstruct after each inversion." };
var sweeps = new Option<int>("--sweeps") { Description = "Sweeps at a time, which share most stages.", DefaultValueFactory = _ => 1 };
var priority = new Option<int>("--priority") { Description = "Priority of the second sweep; the first has 0." };
var restart = new Option<bool>("--restart-coordinator") { Description = "Kill the coordinator halfway, and start it again." };
var badHost = new Option<bool>("--bad-host") { Description = "One more silo, on which every part fails at once." };
var minutes = new Option<double>("--at-most") { Description = "Minutes after which a run is given up.", DefaultValueFactory = _ => 120 };
var name = new Option<string>("--name") { Description = "The silo's name; 'coordinator' has no devices.", Required = true };
var reports = new Option<string>("--reports") { Description = "Folder for its reports.", Required = true };

ScaleOptions Options(ParseResult parsed) => new()
{
    Silos = parsed.GetValue(silos),
    DevicesPerSilo = parsed.GetValue(devices),
    Batch = parsed.GetValue(batch),
    PassTime = TimeSpan.FromMilliseconds(parsed.GetValue(pass)),
    Samples = parsed.GetValue(samples),
    Steps = parsed.GetValue(steps),
    SegmentSteps = parsed.GetValue(segment),
    PartRows = parsed.GetValue(partRows),
    WarmUp = parsed.GetValue(warmUp),
    Dependents = parsed.GetValue(dependents),
    Reconstruct = parsed.GetValue(reconstruct),
    Sweeps = parsed.GetValue(sweeps),
    Priority = parsed.GetValue(priority),
    RestartCoordinator = parsed.GetValue(restart),
    BadHost = parsed.GetValue(badHost),
};

var silo = new Command("silo", "One simulated silo of a run's cluster.") { name, reports, devices, batch, pass, steps, segment, badHost };
silo.SetAction((parsed, _) =>
{
    var role = parsed.GetRequiredValue(name) == "coordinator" ? SiloRole.Coordinator : SiloRole.Worker;
    return SimulatedSilo.RunAsync(parsed.GetRequiredValue(name), role, Options(parsed), parsed.GetRequiredValue(reports));
});

var run = new Command("run", "Sweeps on a cluster of processes with simulated devices.") { silos, devices, batch, pass, samples, steps,
    segment, partRows, warmUp, dependents, reconstruct, sweeps, priority, restart, badHost, minutes };
run.SetAction(async (parsed, _) =>
{
    var result = await ScaleRun.RunAsync(Options(parsed), TimeSpan.FromMinutes(parsed.GetValue(minutes)));
    Console.WriteLine($"{ScaleResult.Heading}\n{result.Row}\n\n{result.Details}");
});

var table = new Command(
    "table", "How cost grows with silos, samples and parts: a few short runs.") { batch, pass, steps, segment, warmUp, minutes };
table.SetAction(async (parsed, _) =>
{
    var shape = Options(parsed);
    Console.WriteLine(ScaleResult.Heading);
    foreach (var options in ScaleTable.Of(shape))
        Console.WriteLine((await ScaleRun.RunAsync(options, TimeSpan.FromMinutes(parsed.GetValue(minutes)))).Row);
});

var rows = new Option<int[]>("--rows")
{
    Description = "Published rows of the stage.",
    DefaultValueFactory = _ => [10_000, 100_000, 1_000_000],
    AllowMultipleArgumentsPerToken = true,
};
var azurite = new Option<bool>("--azurite") { Description = "In a container of Azurite instead of a folder." };
var store = new Command("store", "What a stage of many published rows costs those who use it.") { rows, azurite };
store.SetAction(async (parsed, _) =>
{
    Console.WriteLine(StoreBench.Heading);
    await foreach (var row in StoreBench.RowsAsync(parsed.GetValue(rows)!, parsed.GetValue(azurite)))
        Console.WriteLine(row);
});

var shapes = new Option<int[]>("--shapes")
{
    Description = "Numbers of rows of the table, from 1; all when none is given.",
    DefaultValueFactory = _ => [], AllowMultipleArgumentsPerToken = true
};
var dispatch = new Command("dispatch", "What it costs to give out work, as stages, silos and published rows grow.") { shapes };
dispatch.SetAction(async (parsed, _) =>
{
    Console.WriteLine(DispatchBench.Heading);
    var wanted = parsed.GetValue(shapes)!;
    await foreach (var row in DispatchBench.RowsAsync(DispatchShape.All.Where((_, i) => wanted.Length == 0 || wanted.Contains(i + 1))))
        Console.WriteLine(row);
});

return await new RootCommand(
    "Simulates devices, and nothing else, to see what a large cluster costs. Tables go to docs/benchmarks.md.")
{
    run, table, store, dispatch, silo,
}
    .Parse(args).InvokeAsync();
