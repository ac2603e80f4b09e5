using Taba.Grains.Sweeps;
using Taba.Silo.Pictures;
using Taba.Silo.Web.Json;

namespace Taba.Silo.Web.Sweeps;

/// <summary>Runs as the JSON has them.</summary>
static class RunJson
{
    public static RunView Of(PlannedRun run, SweepStatus status, RunNumbers? numbers) => new(
        run.Slug, run.Axes.ToDictionary(), run.Intervention is { } i ? Text(i) : null, [run.Rows.Start, run.Rows.End],
        [.. Pictures(run, status)], numbers?.Numbers.ToDictionary(n => n.Name, n => n.Value));

    static IEnumerable<PicturesView> Pictures(PlannedRun run, SweepStatus status)
    {
        (RunTensor? Tensor, string Title)[] tensors =
        [
            (run.Pictures("samples"), PictureTitles.Samples), (run.Tensor("latents"), PictureTitles.Latents),
            (run.Pictures("samples2"), PictureTitles.Reconstructions),
        ];
        foreach (var (tensor, title) in tensors)
        {
            if (tensor is { Rows: StageRows { Key: var key }, Shape: not null })
                yield return new(tensor.Name, title, key, status.Stages.FirstOrDefault(s => s.Key == key)?.Done.CountIn(run.Rows) ?? 0);
        }
    }

    /// <summary>As the names of stages have it.</summary>
    static string Text(Intervention intervention) => intervention.Swap switch
    {
        SwapKind.Eps => $"swap eps K={intervention.Before}",
        SwapKind.Xt => $"swap xt K={intervention.Before}",
        _ => $"forward K={intervention.Before}",
    };
}
