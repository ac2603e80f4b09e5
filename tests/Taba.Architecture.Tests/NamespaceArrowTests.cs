namespace Taba.Architecture.Tests;

/// <summary>
/// Which namespace of an assembly may use which. A line is a namespace and those that it uses, by their names below the assembly's; a dot
/// is the assembly's own. Whoever reads from top to bottom meets nothing that has not been named.
/// </summary>
public sealed class NamespaceArrowTests
{
    static readonly Dictionary<string, string> s_mayUse = new()
    {
        ["Taba.Abstractions"] = ".:",
        ["Taba.Diffusion"] = """
            .:
            Json:
            Native: .
            Resilience:
            Randomness: .
            Weights.Pickle:
            Weights: Json Weights.Pickle
            Weights.Hub: . Resilience Weights
            Tensors: . Weights Weights.Pickle
            Conditions: . Json Randomness Weights.Pickle
            Schedules: Json Native
            Models.Kernels: Native Weights
            Models.Layers: Json Native Weights Models.Kernels
            Models.Autoencoders: Json Weights Models.Layers
            Models.TextEncoders: Json Native Weights Models.Layers
            Models: Conditions Schedules Models.Autoencoders Models.TextEncoders
            Models.Adm: Json Native Weights Schedules Models Models.Layers
            Models.Gaussian: Json Native Schedules Models
            Models.Diffusers: Weights Schedules Models
            Models.Ldm: Json Weights Models Models.Layers Models.Autoencoders Models.Diffusers
            Models.Dit: Json Native Weights Conditions Models Models.Layers Models.Kernels Models.Autoencoders Models.Diffusers
            Models.DeepFloydIf: Json Native Weights Models Models.Layers Models.TextEncoders Models.Diffusers
            Models.Features: Json Native Weights Tensors Models.Layers
            Models.Families: . Json Weights Models Models.Adm Models.Gaussian Models.Diffusers Models.Ldm Models.Dit Models.DeepFloydIf
            Sampling: Native Schedules Models
            Engine: Native Schedules Models Sampling
            Metrics: Native Randomness
            Metrics.Uncertainty: Randomness Metrics
            Metrics.Neighbours: Metrics
            Metrics.Similarity: Metrics
            Metrics.Sums: Metrics
            Metrics.Features: Randomness Metrics Metrics.Neighbours Metrics.Sums
            Metrics.Experiments: Metrics Metrics.Uncertainty Metrics.Sums
            Metrics.Geometry: Metrics Metrics.Sums
            Metrics.Differences: Metrics Metrics.Sums
            Metrics.PlainAreas: Metrics Metrics.Sums
            Metrics.Normality: Randomness Metrics Metrics.Sums
            Metrics.Trajectories: Metrics Metrics.Sums
            Metrics.Analyses: Metrics Metrics.Experiments Metrics.Neighbours Metrics.Similarity Metrics.Geometry Metrics.Differences Metrics.PlainAreas Metrics.Normality Metrics.Trajectories
            Metrics.Pictures: Tensors Weights Models.Features Models.TextEncoders Metrics Metrics.Experiments Metrics.Features Metrics.Analyses
            """,
        ["Taba.Grains"] = """
            .:
            Errors:
            Silos: .
            Faults: Silos
            Stages: . Faults
            Sweeps: . Faults Stages
            Words: Silos Faults Stages Sweeps
            Dispatch: . Stages Sweeps
            Planning: Sweeps
            Parts: Faults Stages
            Models:
            Trajectories: Stages Models
            Upkeep:
            Ports: Silos Faults Stages Models
            Placement: Silos Models Ports
            Waits: Silos Faults Stages Sweeps Dispatch Words
            Telemetry: Stages Sweeps
            Actors: Errors Silos Faults Stages Sweeps Dispatch Planning Parts Trajectories Models Words Upkeep Ports Placement Waits Telemetry
            """,
        ["Taba.Silo"] = """
            Telemetry:
            Devices:
            Rows:
            Faults:
            Models: Devices
            Conditions: Devices Rows Models
            Inputs: Conditions Models
            Engines: Telemetry Devices Rows Faults Models
            Measuring: Devices Rows Conditions
            Parts: Telemetry Rows Faults Models Conditions Engines Measuring
            Outputs: Devices Rows Models Conditions Measuring
            Workers: Telemetry Devices Faults Models Engines
            Pictures:
            Web.Json:
            Web.Access: Web.Json
            Web.Files: Web.Access
            Web.Live: Web.Json
            Web.Samples: Pictures Web.Json Web.Live
            Web.Silos: Web.Json Web.Live
            Web.Sweeps: Web.Json Web.Live
            Web: Engines Workers Web.Access Web.Files Web.Json Web.Live Web.Samples Web.Silos Web.Sweeps
            Hosting: Telemetry Devices Rows Faults Models Conditions Engines Measuring Parts Workers Web
            Tls:
            Clusters: Telemetry Devices Faults Engines Workers Web Hosting Tls
            """,
        ["Taba.Client"] = """
            .:
            Progress: .
            Sweeps:
            Hosts:
            Planning: Hosts
            Pulling: . Hosts Planning
            Folders:
            Drawing:
            Figures: Folders Drawing
            Reports: Folders Drawing Figures
            Comparing: Folders Reports
            Measuring: Folders Reports
            Embedded: Hosts Planning
            Clusters: . Progress Hosts Planning
            Doctor: . Hosts Clusters
            Running: . Progress Hosts Planning Pulling Reports
            Commands: . Progress Sweeps Hosts Planning Pulling Folders Reports Comparing Measuring Clusters Doctor Running
            """,
        ["Taba.Storage"] = """
            Objects:
            Manifests: Objects
            Checkpoints: Objects Manifests
            GrainState: Objects
            RunFolders: Objects
            """,
    };

    public static TheoryData<string> Projects => [.. s_mayUse.Keys];

    [Theory]
    [MemberData(nameof(Projects))]
    public void Namespaces_TheirUses_AreThoseOfTheList(string project)
    {
        var root = SourceProject.RootNamespace(project);
        var listed = Listed(project).SelectMany(l => l.Uses.Select(to => (l.From, To: to))).ToHashSet();
        var found = NamespaceArrows.Of(SourceProject.Load(project), root).ToList();
        var used = found.Select(a => (From: Short(a.From, root), To: Short(a.To, root))).ToHashSet();
        Offenders.None(found.Where(a => !listed.Contains((Short(a.From, root), Short(a.To, root))))
            .Select(a => $"{Short(a.From, root)} -> {Short(a.To, root)} is not in the list: {a.Because}")
            .Concat(listed.Except(used).Select(a => $"{a.From} -> {a.To} is in the list, and nothing needs it")));
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void List_FromTopToBottom_UsesWhatStandsAbove(string project)
    {
        var above = new HashSet<string>();
        foreach (var (from, uses) in Listed(project))
        {
            Offenders.None(uses.Where(to => !above.Contains(to)).Select(
                to => $"{from} -> {to}, which stands below: a cycle, or another order is needed"));
            Assert.True(above.Add(from), $"{from} stands twice");
        }
    }

    static IEnumerable<(string From, string[] Uses)> Listed(string project) =>
        from line in s_mayUse[project].Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
        let sides = line.Split(':')
        select (sides[0], sides[1].Split(' ', StringSplitOptions.RemoveEmptyEntries));

    static string Short(string name, string root) => name == root ? "." : name[(root.Length + 1)..];
}
