using System.Collections.Immutable;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Taba.Silo.Devices;

namespace Taba.Silo.Engines;

/// <summary>
/// Looks at the engines from a thread of its own and reports a forward pass that does not end. A hung driver shows in no other way.
/// </summary>
/// <param name="heartbeats">Asks the engines.</param>
/// <param name="troubles">Whom to tell.</param>
/// <param name="devices">What they run on.</param>
/// <param name="settings">How long a pass may take.</param>
/// <param name="time">For looking again and again.</param>
sealed class EngineWatchdog(
    Func<ImmutableArray<EngineHeartbeat>> heartbeats, EngineTroubles troubles, SiloDevices devices, IOptions<EngineSettings> settings,
    TimeProvider time)
    : BackgroundService, IEngineWatch
{
    static readonly TimeSpan s_onGpu = TimeSpan.FromMinutes(5);
    static readonly TimeSpan s_onProcessor = TimeSpan.FromHours(1);

    public Task<EngineTrouble> Trouble => troubles.Trouble;

    public ImmutableArray<EngineHeartbeat> Heartbeats => heartbeats();

    TimeSpan StuckAfter => settings.Value.StuckAfter ?? (devices.IsCuda ? s_onGpu : s_onProcessor);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (StuckAfter == TimeSpan.Zero)
            return;
        var every = TimeSpan.FromSeconds(Math.Clamp(StuckAfter.TotalSeconds / 10, 0.05, 5));
        using var timer = new PeriodicTimer(every, time);
        try
        {
            while (!troubles.NoneLeft && await timer.WaitForNextTickAsync(stoppingToken))
                Look();
        }
        catch (OperationCanceledException)
        {
            // The silo ends.
        }
    }

    void Look()
    {
        foreach (var engine in Heartbeats)
        {
            if (engine.InPass is not { } taken || taken <= StuckAfter)
                continue;
            troubles.Report(new(
                EngineTroubleKind.Stuck, engine.Device, engine.Model,
                $"A forward pass of {engine.Rows} row(s) at step {engine.Step} of model {engine.Model} has been running for "
                + $"{taken.TotalSeconds:F0} s, longer than "
                + $"Taba:Engine:StuckAfter ({StuckAfter}). The device or its driver hangs; what was computed is in the checkpoints, and "
                    + "a new process goes on from there. "
                + "If the pass is only slow, raise that setting or choose a smaller batch_size."));
        }
    }
}
