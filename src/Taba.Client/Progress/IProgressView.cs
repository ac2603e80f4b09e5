using Taba.Grains.Sweeps;

namespace Taba.Client.Progress;

/// <summary>Shows how a sweep goes on.</summary>
interface IProgressView : IAsyncDisposable
{
    /// <param name="known">What is known of why stages wait; null for what the status says.</param>
    void Show(SweepStatus status, WaitKnowledge? known = null);

    /// <summary>One line about what happens now.</summary>
    void Say(string line);
}

static class ProgressViews
{
    public static IProgressView For(Terminal terminal, SweepPlan plan, bool json) => json
        ? new JsonProgress(terminal, plan)
        : terminal.ErrorIsLive ? new LiveProgress(terminal, plan) : new LineProgress(terminal, plan);
}
