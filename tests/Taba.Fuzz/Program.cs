using System.Globalization;
using Taba.Diffusion.Native;
using Taba.Fuzz;

// Taba.Fuzz [--count N] [--seed N] [--family NAME] [--case I] [--keep FOLDER]
TorchProcess.Configure();
var options = args.Chunk(2).ToDictionary(pair => pair[0], pair => pair.ElementAtOrDefault(1) ?? "");
var count = Number("--count", 1000);
var seed = Number("--seed", 1);
using var corpus = new Corpus();
var families = FuzzFamilies.All(corpus).Where(f => !options.TryGetValue("--family", out var name) || f.Name == name).ToList();
if (families.Count == 0)
    return Complain($"there is no such family: {string.Join(", ", FuzzFamilies.All(corpus).Select(f => f.Name))}");
var unexpected = 0;
Console.WriteLine($"{"family",-18} {"inputs",7} {"refused",8} {"read",7} {"unexpected",11} {"slowest",9} {"most allocated",15}");
foreach (var family in families)
{
    var run = new FuzzRun(family, seed, corpus.Folder) { Keep = options.GetValueOrDefault("--keep") };
    var tally = options.ContainsKey("--case") ? run.One(Number("--case", 0)) : run.Many(count);
    Console.WriteLine(
        $"{family.Name,-18} {tally.Inputs,7} {tally.Refused,8} {tally.Read,7} {tally.Unexpected.Count,11} "
        + $"{tally.Slowest.TotalMilliseconds,6:0} ms {tally.MostAllocated / 1048576.0,11:0.0} MiB");
    foreach (var finding in tally.Unexpected.DistinctBy(f => f.Kind).Take(10))
        Console.WriteLine($"  case {finding.Case}: {finding.Text}");
    unexpected += tally.Unexpected.Count;
}
using var self = System.Diagnostics.Process.GetCurrentProcess();
Console.WriteLine($"peak memory {self.PeakWorkingSet64 / 1048576} MiB");
return unexpected == 0 ? 0 : 1;

int Number(string name, int otherwise) =>
    options.TryGetValue(name, out var text) ? int.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture) : otherwise;

static int Complain(string message)
{
    Console.Error.WriteLine(message);
    return 2;
}
