using Taba.Grains.Sweeps;

namespace Taba.Client.Progress;

/// <summary>Samples that failed, as JSON: all rows as ranges.</summary>
static class FailureJson
{
    /// <param name="name">Names a stage by its key.</param>
    public static IEnumerable<object> Of(SweepStatus status, Func<string, string> name) => status.Stages.SelectMany(
        stage => stage.Failed.Select(failed => (object)new
        {
            stage = name(stage.Key),
            kind = JsonCodes.Of(failed.Kind),
            count = failed.Rows.Count,
            rows = failed.Rows.Ranges.Select(r => new[] { r.Start, r.End }),
        }));
}
