using System.Diagnostics;
using Taba.Grains.Sweeps;
using Taba.Grains.Telemetry;

namespace Taba.Client.Running;

/// <summary>The span of a command that runs a sweep: everything that the system does for it descends from it.</summary>
static class RunTrace
{
    static readonly ActivitySource s_source = new("Taba.Client", typeof(RunTrace).Assembly.GetName().Version?.ToString(3));

    /// <summary>Begins it, and names it to the grains that this flow calls from now on; null when nobody traces.</summary>
    public static Activity? Begin(SweepPlan plan)
    {
        var span = s_source.StartActivity("run")?.SetTag("taba.sweep", plan.SweepId).SetTag("taba.sweep.name", plan.Name);
        TraceLine.Send(span);
        return span;
    }
}
