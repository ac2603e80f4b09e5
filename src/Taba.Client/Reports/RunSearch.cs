using System.Globalization;
using Taba.Diffusion;
using Taba.Grains;
using Taba.Storage.RunFolders;

namespace Taba.Client.Reports;

/// <summary>Finds the runs of a folder: it is one, or has them below it, as deep as sweeps and upstream's scripts put them.</summary>
static class RunSearch
{
    /// <summary>experiments/MODEL/invert/INTERVENTION/RUN is upstream's deepest.</summary>
    const int Deepest = 5;

    /// <summary>By model, T, seed, intervention.</summary>
    /// <param name="ours">Folders without a manifest are unfinished ones of ours, and none of upstream's.</param>
    /// <exception cref="BadInputException">There is no run, or one that cannot be read.</exception>
    public static IReadOnlyList<ReportRun> In(OutputFolder folder, bool ours)
    {
        if (ReportRun.Read(folder, ours: ours) is { } single)
            return [single];
        var runs = Below(folder, "", Deepest, ours)
            .OrderBy(r => r.Axis("model"), StringComparer.Ordinal)
            .ThenBy(r => r.Axis("weights"), NaturalOrder.Instance)
            .ThenBy(r => Number(r.Axis("num_inference_steps")))
            .ThenBy(r => Number(r.Axis("inversion_steps")))
            .ThenBy(r => Number(r.Axis("seed")))
            .ThenBy(r => RunLabels.Order(r.Intervention))
            .ThenBy(r => r.Intervention?.ForwardSeed ?? 0)
            .ThenBy(r => r.Below, StringComparer.Ordinal)
            .ToList();
        return runs.Count > 0
            ? runs
            : throw new BadInputException(
                $"{folder.Place} holds no run (a folder with manifest.json, or with upstream's samples.pt or latents.pt), nor has it any "
                + "below it: give the folder of a sweep, of several, or of one run.");
    }

    /// <summary>What lies in a run's folder, as its pictures do, is that run's. The store's name begins with a dot.</summary>
    static IEnumerable<ReportRun> Below(OutputFolder folder, string path, int depth, bool ours)
    {
        foreach (var (name, child) in folder.Folders().Select(f => (NameOf(f), f)).Where(f => !f.Item1.StartsWith('.')))
        {
            var below = path.Length == 0 ? name : $"{path}/{name}";
            if (ReportRun.Read(child, below, ours) is { } run)
                yield return run;
            else if (depth > 1)
            {
                foreach (var deeper in Below(child, below, depth - 1, ours))
                    yield return deeper;
            }
        }
    }

    static string NameOf(OutputFolder folder) => Path.GetFileName(Path.TrimEndingDirectorySeparator(folder.Place));

    static double Number(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : double.MaxValue;
}
