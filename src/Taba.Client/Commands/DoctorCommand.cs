using System.CommandLine;
using System.Text.Json;
using Taba.Client.Doctor;

namespace Taba.Client.Commands;

/// <summary><c>taba doctor</c></summary>
static class DoctorCommand
{
    public static Command Create(CommandServices services)
    {
        var json = Flags.Switch("json", "Machine-readable lines, no colours.");
        var output = Flags.WithDefault("out", OutputFlags.DefaultOut, "The folder whose disk is looked at.");
        var cluster = Flags.Of<string?>("cluster", "Looks at the servers of a cluster too: its database, its silos, its store.");
        var command = new Command(
            "doctor",
            "Looks at what runs need: libtorch, processor, CUDA, memory, disk, servers; says what to do.") { output, cluster, json };
        command.SetAction(async (parsed, interrupted) =>
        {
            // Settings that cannot be used are found before anything else is said.
            var servers = parsed.GetValue(cluster) is { } name
                ? await ClusterExamination.AllAsync(name, services.Terminal, interrupted)
                : [];
            var findings = Examination.All(parsed.GetValue(output)!).Concat(servers).ToList();
            foreach (var finding in findings)
            {
                services.Terminal.Output.WriteLine(parsed.GetValue(json)
                    ? JsonSerializer.Serialize(new
                    {
                        name = finding.Name, state = finding.State.ToString().ToLowerInvariant(), found =
                        finding.Found, advice = finding.Advice
                    })
                    : $"{finding.State.ToString().ToLowerInvariant(),-5} {finding.Name,-10} "
                        + $"{finding.Found}{(finding.Advice is null ? "" : $": {finding.Advice}")}");
            }
            return findings.Any(f => f.State == FindingState.Fail) ? ExitStatus.Failed : ExitStatus.Done;
        });
        return command.WithExamples("taba doctor", "taba doctor --cluster lab", "taba doctor --json");
    }
}
